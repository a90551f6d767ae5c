"""What `/authorize` refuses, where it says so, and that nothing is stored."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.store import applications
from tests.support.browser import Browser, Page
from tests.support.flow import authorize, log_in, request_for
from tests.support.server import CALLBACK, Client, Server, Tenant


def refused_on_a_page(page: Page) -> str:
    """RFC 6749 §4.1.2.1: "MUST NOT automatically redirect". Returns the description."""
    assert page.status == 400
    assert page.error == "invalid_request"
    assert "location" not in page.response.headers
    assert page.response.headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.response.headers
    assert page.text_of("correlation-id") == page.response.headers["x-request-id"]
    return page.response.text


def refused_by_redirect(page: Page, client: Client, tenant: Tenant, error: str) -> str:
    """RFC 6749 §4.1.2.1 and RFC 9207 §2. Returns the description."""
    answer = page.answer
    assert page.left_for.replace("#", "?").partition("?")[0] == client.redirect_uri
    assert (answer["error"], answer["iss"]) == (error, tenant.issuer)
    assert answer.keys() <= {"error", "error_description", "state", "iss", "session_state"}
    return answer["error_description"]


def test_unknown_application(server: Server, tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §4.1.2.1: a page, never a redirect."""
    asked = request_for(tenant.application(), client_id="nobody")
    with server.stores_nothing():
        assert "client_id" in refused_on_a_page(authorize(browser, tenant, asked.parameters))


def test_missing_client_id(server: Server, tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §4.1.1: `client_id` is REQUIRED."""
    asked = request_for(tenant.application(), client_id=None)
    with server.stores_nothing():
        assert "client_id" in refused_on_a_page(authorize(browser, tenant, asked.parameters))


WRONG_REDIRECTS = {
    "unregistered": "https://evil.example.com/callback",
    "prefix": "https://app.example.com/call",
    "sub-path": f"{CALLBACK}/deeper",
    "path traversal": f"{CALLBACK}/../callback",
    "trailing slash": f"{CALLBACK}/",
    "userinfo": "https://app.example.com@evil.example.com/callback",
    "userinfo before the host": "https://user@app.example.com/callback",
    "case of the path": "https://app.example.com/Callback",
    "case of the host": "https://APP.example.com/callback",
    "case of the scheme": "HTTPS://app.example.com/callback",
    "encoded": "https://app.example.com/c%61llback",
    "encoded slash": "https://app.example.com%2fcallback",
    "default port": "https://app.example.com:443/callback",
    "other port": "https://app.example.com:8443/callback",
    "other scheme": "http://app.example.com/callback",
    "extra query": f"{CALLBACK}?next=https://evil.example.com",
    "empty query": f"{CALLBACK}?",
    "fragment": f"{CALLBACK}#",
    "fragment with text": f"{CALLBACK}#part",
    "backslash": "https://app.example.com\\@evil.example.com/callback",
    "suffix of the host": "https://app.example.com.evil.example.com/callback",
    "space": f" {CALLBACK}",
    "tab": f"{CALLBACK}\t",
    "no scheme": "//app.example.com/callback",
    "javascript": "javascript:alert(1)",
    "data": "data:text/html,hello",
    "a star": "https://*.example.com/callback",
    "full-width": "https://app.example.com/callbacк",
    "not a URL": "http://[",
}


@pytest.mark.parametrize("name", WRONG_REDIRECTS)
def test_wrong_redirect_uri(server: Server, tenant: Tenant, browser: Browser, name: str) -> None:
    """RFC 9700 §2.1 and §4.1.3: exact match, else a page."""
    asked = request_for(tenant.application(), redirect_uri=WRONG_REDIRECTS[name])
    with server.stores_nothing():
        page = authorize(browser, tenant, asked.parameters)
        assert "redirect_uri" in refused_on_a_page(page)
        posted = browser.post(tenant.url("authorize"), asked.parameters)
        assert "redirect_uri" in refused_on_a_page(posted)


def test_missing_redirect_uri(server: Server, tenant: Tenant, browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.1: `redirect_uri` is REQUIRED."""
    asked = request_for(tenant.application(), redirect_uri=None)
    with server.stores_nothing():
        assert "redirect_uri" in refused_on_a_page(authorize(browser, tenant, asked.parameters))


def test_an_older_application_may_leave_out_what_it_registered_once(
    tenant: Tenant, browser: Browser
) -> None:
    """RFC 6749 §3.1.2.3: needed where several are registered. Without scope it gets `openid`."""
    client = tenant.application(oidc_conformant=False)
    tenant.user()
    asked = request_for(client, redirect_uri=None, scope=None)
    page = log_in(browser, authorize(browser, tenant, asked.parameters))
    fields = {"grant_type": "authorization_code", "code": page.answer["code"]}
    response = tenant.token(client, **fields, code_verifier=asked.verifier)
    assert response.json()["scope"] == "openid"
    tenant.change_application(client, redirect_uris=(CALLBACK, f"{CALLBACK}2"))
    assert "redirect_uri" in refused_on_a_page(authorize(browser, tenant, asked.parameters))


LOOPBACK = {
    "http://127.0.0.1:54321/callback": True,
    "http://127.0.0.1/callback": True,
    "http://[::1]:54321/callback": True,
    "http://127.0.0.1:54321/other": False,
    "http://127.0.0.1:54321/callback?x=1": False,
    "http://127.0.0.1:54321/callback#x": False,
    "http://127.0.0.1:99999/callback": False,
    "http://127.0.0.2:54321/callback": False,
    "http://localhost:54321/callback": False,
    "http://evil.example.com:54321/callback": False,
    "https://127.0.0.1:54321/callback": False,
    "http://user@127.0.0.1:54321/callback": False,
    "http://127.0.0.1:54321@evil.example.com/callback": False,
    "com.example.other:/callback": False,
}


@pytest.mark.parametrize("uri", LOOPBACK)
def test_loopback_redirect_of_a_native_application(
    tenant: Tenant, browser: Browser, uri: str
) -> None:
    """RFC 8252 §7.3: any port on a loopback literal, nothing else."""
    registered = ("http://127.0.0.1:1/callback", "http://[::1]/callback", "com.example.app:/cb")
    client = tenant.application("native", redirect_uris=registered)
    tenant.user()
    page = authorize(browser, tenant, request_for(client, redirect_uri=uri).parameters)
    if not LOOPBACK[uri]:
        refused_on_a_page(page)
        return
    page = log_in(browser, page)
    page = browser.submit(page, "consent-form", press="consent-allow")
    assert page.left_for.startswith(f"{uri}?code=")


@pytest.mark.parametrize("kind", ["regular_web", "spa"])
def test_loopback_ports_are_for_native_applications(
    server: Server, tenant: Tenant, browser: Browser, kind: str
) -> None:
    """RFC 8252 §7.3 and RFC 9700 §2.1: the only exception is for native applications."""
    client = tenant.application(kind, redirect_uris=("http://127.0.0.1:1/callback",))
    asked = request_for(client, redirect_uri="http://127.0.0.1:2/callback")
    with server.stores_nothing():
        refused_on_a_page(authorize(browser, tenant, asked.parameters))


def test_the_explorers_sign_operators_in_at_the_root(server: Server, browser: Browser) -> None:
    """RFC 9700 §2.1: the root's own explorer may answer to a tenant's, to nothing else."""
    tenant, root = server.tenant(), server.root
    explorer = Client(root.read(applications.find_by_client_id, "tenantry-explorer"), "")
    own = Client(tenant.read(applications.find_by_client_id, "tenantry-explorer"), "")
    for uri in (root.url("graphql"), tenant.url("graphql")):
        asked = request_for(explorer, redirect_uri=uri)
        assert authorize(browser, root, asked.parameters).title == "Log in"
    wrong = (
        f"{server.public_url}/t/nowhere/graphql",
        f"{server.public_url}/t/root/graphql",
        tenant.url("graphql/"),
        tenant.url("userinfo"),
        tenant.url("graphql?x"),
    )
    for uri in wrong:
        asked = request_for(explorer, redirect_uri=uri)
        refused_on_a_page(authorize(browser, root, asked.parameters))
    for uri in (root.url("graphql"), server.tenant().url("graphql")):
        asked = request_for(own, redirect_uri=uri)
        refused_on_a_page(authorize(browser, tenant, asked.parameters))
    other = root.application(name="Another")
    asked = request_for(other, redirect_uri=tenant.url("graphql"))
    refused_on_a_page(authorize(browser, root, asked.parameters))


REDIRECTED: dict[str, tuple[dict[str, str | None], str, str]] = {
    "no response_type": ({"response_type": None}, "invalid_request", "response_type"),
    "unknown": ({"response_type": "banana"}, "unsupported_response_type", "response_type"),
    "implicit": ({"response_type": "token"}, "unauthorized_client", "implicit"),
    "id_token": ({"response_type": "id_token"}, "unauthorized_client", "implicit"),
    "hybrid": ({"response_type": "code id_token"}, "unauthorized_client", "implicit"),
    "a word twice": ({"response_type": "code code"}, "unsupported_response_type", "response_type"),
    "no web origin": ({"response_mode": "web_message"}, "invalid_request", "web_message"),
    "claims": ({"claims": "[]"}, "invalid_request", "claims"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request", "code_challenge_method"),
    "by default": ({"code_challenge_method": None}, "invalid_request", "code_challenge_method"),
    "challenge too short": ({"code_challenge": "abc"}, "invalid_request", "code_challenge"),
    "challenge not base64url": ({"code_challenge": "+" * 43}, "invalid_request", "code_challenge"),
    "method alone": ({"code_challenge": None}, "invalid_request", "code_challenge"),
    "no scope": ({"scope": None}, "invalid_scope", "scope"),
    "malformed scope": ({"scope": 'openid "x"'}, "invalid_scope", "scope"),
    "response_mode": ({"response_mode": "cookie"}, "invalid_request", "response_mode"),
    "none and login": ({"prompt": "none login"}, "invalid_request", "prompt"),
    "unknown prompt": ({"prompt": "whatever"}, "invalid_request", "prompt"),
    "max_age": ({"max_age": "soon"}, "invalid_request", "max_age"),
    "negative max_age": ({"max_age": "-1"}, "invalid_request", "max_age"),
    "max_age in other digits": ({"max_age": "٣"}, "invalid_request", "max_age"),
    "resource": ({"resource": "not-a-uri"}, "invalid_target", "resource"),
    "request": ({"request": "e30.e30."}, "invalid_request_object", "request"),
    "request_uri": (
        {"request_uri": "https://evil.example.com/"},
        "invalid_request_uri",
        "request_uri",
    ),
    "registration": ({"registration": "{}"}, "registration_not_supported", "registration"),
}


@pytest.mark.parametrize("name", REDIRECTED)
def test_refused_at_the_redirect_uri(
    server: Server, tenant: Tenant, browser: Browser, name: str
) -> None:
    """RFC 6749 §4.1.2.1, RFC 7636 §4.4.1, OpenID Connect Core §3.1.2.6: the code and the name."""
    changes, error, parameter = REDIRECTED[name]
    client = tenant.application()
    asked = request_for(client, **changes)
    with server.stores_nothing():
        page = authorize(browser, tenant, asked.parameters)
        assert parameter in refused_by_redirect(page, client, tenant, error)
        assert page.answer["state"] == asked.state
        posted = browser.post(tenant.url("authorize"), asked.parameters)
        assert posted.answer == page.answer


@pytest.mark.parametrize("values", [{"application_type": "spa"}, {"require_pkce": True}])
def test_pkce_is_required(
    server: Server, tenant: Tenant, browser: Browser, values: dict[str, Any]
) -> None:
    """RFC 7636 §4.4.1 and RFC 9700 §2.1.1: of public applications, and where it is set."""
    client = tenant.application(**values)
    asked = request_for(client, code_challenge=None, code_challenge_method=None)
    with server.stores_nothing():
        page = authorize(browser, tenant, asked.parameters)
        assert "code_challenge" in refused_by_redirect(page, client, tenant, "invalid_request")


def test_grant_type_that_the_application_does_not_have(
    server: Server, tenant: Tenant, browser: Browser
) -> None:
    """RFC 6749 §4.1.2.1: unauthorized_client."""
    client = tenant.application(grant_types=("client_credentials",))
    with server.stores_nothing():
        page = authorize(browser, tenant, request_for(client).parameters)
        description = refused_by_redirect(page, client, tenant, "unauthorized_client")
        assert "authorization_code" in description


DOUBLED = ["state", "scope", "nonce", "response_type", "code_challenge", "prompt", "unknown"]


@pytest.mark.parametrize("name", DOUBLED)
def test_repeated_parameter(server: Server, tenant: Tenant, browser: Browser, name: str) -> None:
    """RFC 6749 §3.1: "MUST NOT be included more than once"; a doubled state is not echoed."""
    client = tenant.application()
    asked = request_for(client)
    pairs = [*asked.parameters.items(), (name, "again")]
    if name not in asked.parameters:
        pairs.append((name, "again"))
    with server.stores_nothing():
        page = browser.post(tenant.url("authorize"), pairs)
        assert name in refused_by_redirect(page, client, tenant, "invalid_request")
        assert page.answer.get("state") == (None if name == "state" else asked.state)


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
@pytest.mark.parametrize("same", [True, False])
def test_repeated_parameter_that_says_where_to_go(
    server: Server, tenant: Tenant, browser: Browser, name: str, same: bool
) -> None:
    """RFC 6749 §3.1 and §4.1.2.1: no redirect."""
    asked = request_for(tenant.application())
    again = asked.parameters[name] if same else "https://evil.example.com/"
    with server.stores_nothing():
        page = browser.post(tenant.url("authorize"), [*asked.parameters.items(), (name, again)])
        assert name in refused_on_a_page(page)


def test_an_unknown_parameter_is_ignored(tenant: Tenant, browser: Browser) -> None:
    """RFC 6749 §3.1: "MUST ignore unrecognized request parameters"; an empty one is absent."""
    client = tenant.application()
    asked = request_for(client, foo="bar", max_age="", prompt="", acr_values="x")
    assert authorize(browser, tenant, asked.parameters).title == "Log in"


def test_audience_that_is_no_api(tenant: Tenant, browser: Browser) -> None:
    """RFC 8707 §2: invalid_target."""
    client = tenant.application()
    asked = request_for(client, audience="https://nowhere.example.com")
    page = authorize(browser, tenant, asked.parameters)
    assert "audience" in refused_by_redirect(page, client, tenant, "invalid_target")


def test_response_types_are_refused_without_a_code(tenant: Tenant, browser: Browser) -> None:
    """RFC 9700 §2.1.2: no token in a URL, signed in or not."""
    client = tenant.application()
    tenant.user()
    log_in(browser, authorize(browser, tenant, request_for(client).parameters))
    for response_type in ("token", "id_token token", "code token", "none"):
        asked = request_for(client, response_type=response_type)
        answer = authorize(browser, tenant, asked.parameters).answer
        unknown = response_type == "none"
        expected = "unsupported_response_type" if unknown else "unauthorized_client"
        assert answer["error"] == expected
        assert not answer.keys() & {"code", "access_token", "id_token"}
