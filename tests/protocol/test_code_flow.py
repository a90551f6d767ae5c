"""RFC 6749 §4.1, RFC 7636 and OpenID Connect Core §3.1: the code flow, from end to end."""

from __future__ import annotations

from typing import Any

import pytest
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken

from tests.support import jwt
from tests.support.browser import Browser, query_of
from tests.support.flow import authorize, log_in, request_for, sign_in
from tests.support.server import CALLBACK, Client, Server, Tenant, both_databases

KINDS: dict[str, dict[str, Any]] = {
    "regular web, secret in the body": {},
    "regular web, secret in the header": {"token_endpoint_auth_method": "client_secret_basic"},
    "single page": {"application_type": "spa"},
    "native": {"application_type": "native", "redirect_uris": ("com.example.app:/callback",)},
    "machine that also signs people in": {
        "application_type": "non_interactive",
        "grant_types": ("authorization_code", "client_credentials"),
        "redirect_uris": (CALLBACK,),
    },
}


def relying_party(server: Server, client: Client) -> OAuth2Client:
    """Authlib's client: what another project understands the specifications to say."""
    return OAuth2Client(
        client.id,
        client.secret or None,
        token_endpoint_auth_method=client.facts.token_endpoint_auth_method.value,
        scope="openid profile email",
        redirect_uri=client.redirect_uri,
        code_challenge_method="S256",
        transport=server.transport(),
    )


def checked_id_token(tenant: Tenant, client: Client, token: str, **params: str) -> dict[str, Any]:
    """The claims of an ID token after Authlib's rules for the code flow (Core §3.1.3.7)."""
    header, claims = jwt.verify(token, tenant.jwks())
    options = {
        "iss": {"essential": True, "value": tenant.issuer},
        "aud": {"essential": True, "value": client.id},
        "auth_time": {"essential": True},
    }
    checked = CodeIDToken(claims, header, options, {"client_id": client.id, **params})
    checked.validate(now=int(tenant.server.clock.now().timestamp()))
    return claims


@both_databases
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_application_signs_a_person_in(
    server: Server, tenant: Tenant, browser: Browser, kind: str
) -> None:
    """RFC 6749 §4.1, RFC 7636 §4, OpenID Connect Core §3.1.3.3 and §3.1.3.7."""
    values = dict(KINDS[kind])
    client = tenant.application(values.pop("application_type", "regular_web"), **values)
    user = tenant.user(name="Ann")
    party = relying_party(server, client)
    verifier = "v" * 64
    url, state = party.create_authorization_url(
        tenant.url("authorize"), code_verifier=verifier, nonce="n-0S6"
    )
    page = log_in(browser, browser.get(url))
    if kind == "native":
        page = browser.submit(page, "confirm-form", press="confirm-continue")
    assert page.left_for.startswith(client.redirect_uri + "?")
    assert page.answer.keys() - {"session_state"} == {"code", "state", "iss"}
    token = party.fetch_token(
        tenant.url("oauth/token"),
        authorization_response=page.left_for,
        state=state,
        code_verifier=verifier,
    )
    assert token["token_type"] == "Bearer"
    assert token["expires_in"] == 86_400
    claims = checked_id_token(
        tenant, client, token["id_token"], nonce="n-0S6", access_token=token["access_token"]
    )
    assert claims["sub"] == user.id
    assert claims["nonce"] == "n-0S6"
    assert claims["at_hash"] == jwt.half_hash(token["access_token"])
    assert claims["azp"] == client.id if "azp" in claims else True
    assert claims["sid"]
    assert party.get(tenant.url("userinfo")).json() == {
        "sub": user.id,
        "name": "Ann",
        "updated_at": int(user.updated_at.timestamp()),
        "email": "ann@example.com",
        "email_verified": False,
    }


def test_two_sign_ins_in_one_second_get_tokens_of_their_own(
    tenant: Tenant, browser: Browser
) -> None:
    """RFC 6749 §4.1.2: each authorization has tokens that end alone."""
    client = tenant.application()
    tenant.user()
    first = sign_in(browser, tenant, client)
    second = sign_in(browser, tenant, client)
    tokens = [granted.tokens()["access_token"] for granted in (first, second)]
    assert tokens[0] != tokens[1]
    first.redeem()
    assert [tenant.userinfo(token).status_code for token in tokens] == [401, 200]


def test_the_answer_keeps_the_query_of_the_redirect_uri(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §3.1.2: a query component "MUST be retained"."""
    client = tenant.application(redirect_uris=(f"{CALLBACK}?keep=a%20b&x",))
    tenant.user()
    asked = request_for(client)
    page = log_in(browser, authorize(browser, tenant, asked.parameters))
    assert page.left_for.startswith(f"{CALLBACK}?keep=a%20b&x&code=")


def test_a_request_by_post(tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.1: "MUST support the use of the HTTP GET and POST methods"."""
    client = tenant.application()
    tenant.user()
    asked = request_for(client)
    page = log_in(browser, browser.post(tenant.url("authorize"), asked.parameters))
    assert page.answer["state"] == asked.state
    assert "code" in page.answer


def test_form_post(tenant: Tenant, browser: Browser) -> None:
    """OAuth 2.0 Form Post Response Mode §2: the answer is a form, the URL says nothing."""
    client = tenant.application()
    tenant.user()
    state = "\"'><script>alert(1)</script>"
    asked = request_for(client, response_mode="form_post", state=state)
    page = log_in(browser, authorize(browser, tenant, asked.parameters))
    assert page.status == 200
    assert not page.left_for
    assert "<script>alert" not in page.response.text
    assert page.response.headers["cache-control"] == "no-store"
    scripts = [attributes for tag, attributes in page.tags if tag == "script"]
    assert all(attributes["src"].startswith("/assets/pages/") for attributes in scripts)
    assert "script-src 'self'" in page.response.headers["content-security-policy"]
    sent = browser.submit(page, "response-form")
    assert sent.left_for == client.redirect_uri
    assert sent.posted["state"] == state
    assert sent.posted["iss"] == tenant.issuer
    tokens = tenant.token(
        client,
        grant_type="authorization_code",
        code=sent.posted["code"],
        redirect_uri=client.redirect_uri,
        code_verifier=asked.verifier,
    )
    assert tokens.status_code == 200


def test_form_post_of_an_error(tenant: Tenant, browser: Browser) -> None:
    """OAuth 2.0 Form Post Response Mode §2 and RFC 9207 §2: errors too, with state and iss."""
    client = tenant.application()
    asked = request_for(client, response_mode="form_post", prompt="none")
    page = authorize(browser, tenant, asked.parameters)
    sent = browser.submit(page, "response-form")
    assert sent.left_for == client.redirect_uri
    assert sent.posted["error"] == "login_required"
    assert sent.posted["state"] == asked.state
    assert sent.posted["iss"] == tenant.issuer


def test_the_iss_parameter_is_the_tenants_to_switch_off(tenant: Tenant, browser: Browser) -> None:
    """RFC 9207 §2.3 and §3."""
    client = tenant.application()
    tenant.user()
    metadata = tenant.url(".well-known/openid-configuration")
    member = "authorization_response_iss_parameter_supported"
    assert tenant.server.client.get(metadata).json()[member] is True
    tenant.change(authorization_response_iss_parameter_supported=False)
    assert tenant.server.client.get(metadata).json()[member] is False
    assert "iss" not in sign_in(browser, tenant, client).answer


def test_the_handle_of_a_page_is_not_the_code(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §10.10: codes are random, 128 bits at least, and appear in no URL of ours."""
    client = tenant.application()
    tenant.user()
    page = authorize(browser, tenant, request_for(client).parameters)
    handle = query_of(page.url)["state"]
    done = log_in(browser, page)
    assert len(done.answer["code"]) >= 43
    assert handle not in done.left_for
    assert all(done.answer["code"] not in str(hop.request.url) for hop in done.hops)
