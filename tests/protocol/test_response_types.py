"""Multiple Response Type Encoding Practices, Form Post, OpenID Connect Core §3.2 and §3.3."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support import jwt
from tests.support.browser import Browser, Page
from tests.support.flow import Asked, Granted, authorize, log_in, request_for
from tests.support.server import CALLBACK, Client, Server, Tenant, both_databases

API = "https://api.example.com"
ALL = ("authorization_code", "implicit")
IN_FRONT = (
    "token",
    "id_token",
    "id_token token",
    "token id_token",
    "code id_token",
    "id_token code",
    "code token",
    "code id_token token",
    "token code id_token",
)


def hybrid(tenant: Tenant, **values: Any) -> Client:
    return tenant.application(grant_types=ALL, **values)


def ask(
    tenant: Tenant, browser: Browser, client: Client, **changes: str | None
) -> tuple[Asked, Page]:
    asked = request_for(client, **changes)
    page = authorize(browser, tenant, asked.parameters)
    return asked, log_in(browser, page) if page.title == "Log in" else page


@both_databases
@pytest.mark.parametrize("response_type", IN_FRONT)
def test_each_response_type(
    server: Server, tenant: Tenant, browser: Browser, response_type: str
) -> None:
    """Core §3.2.2.5, §3.3.2.5 and §3.3.2.11: the parts, in the fragment, that vouch for another."""
    client, user, words = hybrid(tenant), tenant.user(), set(response_type.split())
    asked, page = ask(tenant, browser, client, response_type=response_type)
    assert page.left_for.startswith(f"{CALLBACK}#")
    answer = page.answer
    expected = {"state", "iss"} | words - {"token"}
    if "token" in words:
        expected |= {"access_token", "token_type", "expires_in", "scope"}
    assert answer.keys() - {"session_state"} == expected
    assert answer["state"] == asked.state
    if "token" in words:
        assert (answer["token_type"], answer["expires_in"]) == ("Bearer", "86400")
        said = tenant.userinfo(answer["access_token"]).json()
        assert (said["sub"], said["email"]) == (user.id, "ann@example.com")
    if "id_token" in words:
        _, claims = jwt.verify(answer["id_token"], tenant.jwks())
        assert (claims["nonce"], claims["aud"], claims["sub"]) == (asked.nonce, client.id, user.id)
        hashed = {"at_hash": "access_token", "c_hash": "code", "s_hash": "state"}
        for name, part in hashed.items():
            assert claims.get(name) == (jwt.half_hash(answer[part]) if part in answer else None)
        # §5.4: the claims of scopes where there is no access token to ask with.
        assert ("email" in claims) is (words == {"id_token"})
    if "code" in words:
        tokens = Granted(tenant, client, asked, answer).tokens()
        second = jwt.claims_of(tokens["id_token"])
        assert (second["sub"], second["nonce"]) == (user.id, asked.nonce)
        assert not second.keys() & {"c_hash", "s_hash"}


def test_a_replayed_code_of_a_hybrid_flow(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §4.1.2."""
    client = hybrid(tenant)
    tenant.user()
    asked, page = ask(tenant, browser, client, response_type="code id_token")
    granted = Granted(tenant, client, asked, page.answer)
    token = granted.tokens()["access_token"]
    assert granted.redeem().json()["error"] == "invalid_grant"
    assert tenant.userinfo(token).status_code == 401


def test_the_front_channel_answers_once(tenant: Tenant, browser: Browser) -> None:
    """One authorization has one answer: its page leads nowhere afterwards."""
    client = hybrid(tenant, is_first_party=False)
    tenant.user()
    _, page = ask(tenant, browser, client, response_type="id_token token")
    assert page.title == "Allow access"
    assert "access_token" in browser.submit(page, "consent-form", press="consent-allow").answer
    again = browser.submit(page, "consent-form", press="consent-allow")
    assert again.error == "invalid_request"


@both_databases
def test_answers_that_race(server: Server, tenant: Tenant, browser: Browser) -> None:
    """One of many that allow the same authorization at once gets tokens."""
    client = hybrid(tenant, is_first_party=False)
    tenant.user()
    _, page = ask(tenant, browser, client, response_type="code id_token token")
    before = server.stored()["token_families"]
    with ThreadPoolExecutor(8) as pool:
        done = list(
            pool.map(
                lambda _: browser.submit(page, "consent-form", press="consent-allow"), range(8)
            )
        )
    won = [page for page in done if page.left_for and "access_token" in page.answer]
    assert len(won) == 1
    assert server.stored()["token_families"] == before + 1


@both_databases
def test_a_front_channel_token_ends_with_its_family(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """RFC 9700 §4.14: a new password ends what was given before, and no refresh token is given."""
    client, user = hybrid(tenant), tenant.user()
    tenant.api(API, "read")
    changes = {"audience": API, "scope": "openid read offline_access"}
    _, page = ask(tenant, browser, client, response_type="id_token token", **changes)
    answer = page.answer
    assert "refresh_token" not in answer
    assert set(answer["scope"].split()) == {"openid", "read"}
    claims = jwt.claims_of(answer["access_token"])
    assert claims["aud"] == [API, tenant.url("userinfo")]
    tenant.set_password(user, "another long password")
    assert tenant.userinfo(answer["access_token"]).status_code == 401


@pytest.mark.parametrize("response_type", ["token", "code", "code id_token token", "id_token"])
def test_grant_types_of_the_application(
    tenant: Tenant, browser: Browser, response_type: str
) -> None:
    """RFC 9700 §2.1.2: implicit parts need the implicit grant type, a code the code's."""
    tenant.user()
    words = set(response_type.split())
    needed = ({"authorization_code"} if "code" in words else set()) | (
        {"implicit"} if words != {"code"} else set()
    )
    for missing in needed:
        client = tenant.application(grant_types=tuple(set(ALL) - {missing}))
        _, page = ask(tenant, browser, client, response_type=response_type)
        assert page.answer["error"] == "unauthorized_client"
        assert missing in page.answer["error_description"]
        assert not page.answer.keys() & {"code", "access_token", "id_token"}
    for kind in ("regular_web", "spa", "native"):
        assert "implicit" not in tenant.application(kind).facts.grant_types


REFUSED: dict[str, tuple[dict[str, str | None], str]] = {
    "query with a token": ({"response_mode": "query"}, "response_mode"),
    "no nonce": ({"nonce": None}, "nonce"),
    "no openid": ({"scope": "profile"}, "openid"),
    "prompt": ({"prompt": "none login"}, "prompt"),
}


@pytest.mark.parametrize("mode", [None, "form_post"])
@pytest.mark.parametrize("name", REFUSED)
def test_refusals_use_the_mode(
    server: Server, tenant: Tenant, browser: Browser, name: str, mode: str | None
) -> None:
    """Core §3.2.2.6, Multiple Response Types §5, §3.2.2.1: refused in the fragment or by a form."""
    client = hybrid(tenant)
    changes, what = REFUSED[name]
    changes = {"response_type": "code id_token", "response_mode": mode} | changes
    asked = request_for(client, **changes)
    with server.stores_nothing():
        page = authorize(browser, tenant, asked.parameters)
    if changes["response_mode"] == "form_post":
        page = browser.submit(page, "response-form")
        assert page.left_for == CALLBACK
    else:
        assert page.left_for.startswith(f"{CALLBACK}#")
    assert page.answer["error"] == "invalid_request"
    assert what in page.answer["error_description"]
    assert page.answer["state"] == asked.state


def test_a_token_over_http(tenant: Tenant, browser: Browser) -> None:
    """Core §3.2.2.1: "the Redirection URI MUST NOT use the http scheme" but on loopback."""
    plain, local = "http://app.example.com/cb", "http://localhost:3000/cb"
    client = hybrid(tenant, redirect_uris=(plain, local))
    tenant.user()
    page = authorize(
        browser,
        tenant,
        request_for(client, redirect_uri=plain, response_type="id_token").parameters,
    )
    assert page.answer["error"] == "invalid_request"
    asked = request_for(client, redirect_uri=local, response_type="id_token")
    assert authorize(browser, tenant, asked.parameters).title == "Log in"


def test_hybrid_by_form_post(tenant: Tenant, browser: Browser) -> None:
    """Form Post Response Mode §2: nothing of the answer is in a URL."""
    client = hybrid(tenant)
    tenant.user()
    asked, page = ask(
        tenant, browser, client, response_type="code id_token token", response_mode="form_post"
    )
    assert page.response.headers["cache-control"] == "no-store"
    page = browser.submit(page, "response-form")
    assert page.left_for == CALLBACK
    assert {"code", "id_token", "access_token", "state", "iss"} <= page.posted.keys()
    assert Granted(tenant, client, asked, page.posted).tokens()["access_token"]


def test_code_in_the_fragment(tenant: Tenant, browser: Browser) -> None:
    """Multiple Response Types §2.1."""
    client = tenant.application()
    tenant.user()
    _, page = ask(tenant, browser, client, response_mode="fragment")
    assert page.left_for.startswith(f"{CALLBACK}#code=")


def web_message(page: Page) -> tuple[str, dict[str, str]]:
    """The origin that a page posts to, and the answer."""
    body = next(attributes for tag, attributes in page.tags if tag == "body")
    answer: dict[str, str] = json.loads(body["data-answer"])
    return body["data-origin"], answer


@pytest.mark.parametrize("origin", ["https://app.example.com", "https://*.example.com"])
def test_web_message(tenant: Tenant, browser: Browser, origin: str) -> None:
    """Web Message Response Mode §4: to the registered origin, framed by it alone."""
    client = tenant.application("spa", web_origins=(origin,))
    tenant.user()
    asked, page = ask(tenant, browser, client, response_mode="web_message", state='"</script>')
    target, answer = web_message(page)
    assert target == "https://app.example.com"
    assert (answer["state"], answer["iss"]) == (asked.state, tenant.issuer)
    assert Granted(tenant, client, asked, answer).tokens()["id_token"]
    policy = page.response.headers["content-security-policy"]
    assert "frame-ancestors https://app.example.com" in policy
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "x-frame-options" not in page.response.headers
    assert "no-store" in page.response.headers["cache-control"]
    assert "</script>" not in page.response.text.replace("defer></script>", "")


def test_web_message_without_a_session(tenant: Tenant, browser: Browser) -> None:
    """Core §3.1.2.6: a silent request is answered in its mode."""
    client = tenant.application("spa", web_origins=("https://app.example.com",))
    asked = request_for(client, response_mode="web_message", prompt="none")
    target, answer = web_message(authorize(browser, tenant, asked.parameters))
    assert (target, answer["error"]) == ("https://app.example.com", "login_required")


@pytest.mark.parametrize(
    "origins", [(), ("https://other.example.com",), ("http://app.example.com",)]
)
def test_web_message_to_an_unregistered_origin(
    tenant: Tenant, browser: Browser, origins: tuple[str, ...]
) -> None:
    """Refused, at the redirect URI."""
    client = tenant.application("spa", web_origins=origins)
    asked = request_for(client, response_mode="web_message")
    page = authorize(browser, tenant, asked.parameters)
    assert page.left_for.startswith(f"{CALLBACK}?")
    assert page.answer["error"] == "invalid_request"
    assert "web_message" in page.answer["error_description"]
