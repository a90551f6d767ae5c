"""The Fetch standard §3.2: whose scripts may read which answers."""

from __future__ import annotations

import httpx2
import pytest

from tests.support.browser import Browser
from tests.support.flow import refused, sign_in
from tests.support.server import Client, Server, Tenant, both_databases

APP = "https://app.example.com"
WEB = "https://web.example.com"
EVIL = "https://evil.example.com"
GUARDED = {"oauth/token": "POST", "userinfo": "GET, POST", "graphql": "POST"}


@pytest.fixture
def client(tenant: Tenant) -> Client:
    """A single-page application; the origin of its callback counts as listed."""
    tenant.user()
    return tenant.application("spa", web_origins=(WEB,), allowed_origins=("http://localhost:3000",))


def preflight(tenant: Tenant, path: str, origin: str) -> httpx2.Response:
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type",
    }
    return tenant.server.client.options(tenant.url(path), headers=headers)


@both_databases
@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("origin", [APP, WEB, "http://localhost:3000"])
def test_preflight_of_a_listed_origin(
    server: Server, tenant: Tenant, client: Client, path: str, origin: str
) -> None:
    """Fetch §3.2.2: any origin that some application of the tenant lists passes."""
    response = preflight(tenant, path, origin)
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == origin
    assert response.headers["access-control-allow-methods"] == GUARDED[path]
    allowed = response.headers["access-control-allow-headers"].lower()
    # The last is of libraries for browsers that exist.
    assert {"authorization", "content-type", "auth0-client"} <= set(allowed.split(", "))
    assert "access-control-allow-credentials" not in response.headers
    assert response.headers["vary"] == "Origin"
    assert client.facts.web_origins == (WEB,)


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize(
    "origin",
    [
        EVIL,
        "null",
        "http://app.example.com",
        f"{APP}:8443",
        f"{APP}.evil.example.com",
        "https://APP.example.com",
        "",
        "*",
    ],
)
def test_preflight_of_any_other_origin(
    tenant: Tenant, client: Client, path: str, origin: str
) -> None:
    """Fetch §3.2.2: no header, so the browser does not send the request."""
    response = preflight(tenant, path, origin)
    assert response.status_code == 403
    assert not [name for name in response.headers if name.startswith("access-control")]
    assert client.redirect_uri.startswith(APP)


def test_preflight_knows_the_tenant(server: Server, tenant: Tenant, client: Client) -> None:
    """An origin that another tenant lists is a stranger here."""
    assert preflight(tenant, "oauth/token", WEB).status_code == 204
    assert preflight(server.tenant(), "oauth/token", WEB).status_code == 403
    assert client.facts.is_first_party


def test_preflight_of_public_documents(tenant: Tenant) -> None:
    """Fetch §3.2.2: discovery and keys are for everybody."""
    for path in (".well-known/openid-configuration", ".well-known/jwks.json"):
        response = preflight(tenant, path, EVIL)
        assert response.status_code == 204
        assert response.headers["access-control-allow-origin"] == "*"


def test_answers_of_the_token_endpoint(tenant: Tenant, browser: Browser, client: Client) -> None:
    """Fetch §3.2.5: the header is for origins of the acting application; a refusal has it too."""
    other = tenant.application("spa", name="Other", redirect_uris=("https://other.example.com/",))
    granted = sign_in(browser, tenant, client)
    post, url = tenant.server.client.post, tenant.url("oauth/token")
    fields = client.body | granted.fields()
    wrong = fields | {"code_verifier": "w" * 43}
    for origin, allowed in ((EVIL, False), ("https://other.example.com", False), (APP, True)):
        headers = {"origin": origin}
        responses = [
            post(url, data=wrong, headers=headers),
            post(url, data=client.body | {"grant_type": "unknown"}, headers=headers),
            post(url, data=client.body, headers=headers),
        ]
        refused(responses[0], 400, "invalid_grant")
        refused(responses[1], 400, "unsupported_grant_type")
        refused(responses[2], 400, "invalid_request")
        if allowed:
            responses.append(post(url, data=fields, headers=headers))
            assert responses[-1].status_code == 200
        for response in responses:
            expected = origin if allowed else None
            assert response.headers.get("access-control-allow-origin") == expected
            assert "Origin" in response.headers["vary"]
            assert "access-control-allow-credentials" not in response.headers
    assert other.id != client.id
    unauthenticated = post(url, data={"client_id": "nobody"}, headers={"origin": APP})
    assert "access-control-allow-origin" not in unauthenticated.headers
    assert "Origin" in unauthenticated.headers["vary"]


def test_answers_of_userinfo(tenant: Tenant, browser: Browser, client: Client) -> None:
    """Fetch §3.2.5, as above: the token says who acts."""
    token = sign_in(browser, tenant, client).tokens()["access_token"]
    get, url = tenant.server.client.get, tenant.url("userinfo")
    for origin in (APP, WEB, EVIL):
        headers = {"origin": origin, "authorization": f"Bearer {token}"}
        response = get(url, headers=headers)
        assert response.status_code == 200
        expected = None if origin == EVIL else origin
        assert response.headers.get("access-control-allow-origin") == expected
        assert "Origin" in response.headers["vary"]
    response = get(url, headers={"authorization": f"Bearer {token}"})
    assert "access-control-allow-origin" not in response.headers


def test_pages_have_no_cors(tenant: Tenant, client: Client) -> None:
    """Fetch §3.2: nobody reads a login page by script, nor by preflight."""
    for path in ("authorize", "u/login", "u/consent", "oidc/logout", "v2/logout"):
        response = tenant.server.client.get(
            tenant.url(path), headers={"origin": APP}, params={"client_id": client.id}
        )
        assert "access-control-allow-origin" not in response.headers
        assert preflight(tenant, path, APP).status_code == 405


def test_an_origin_that_was_taken_off_the_list(tenant: Tenant, client: Client) -> None:
    """The lists are read at each request."""
    assert preflight(tenant, "userinfo", WEB).status_code == 204
    tenant.change_application(client, web_origins=())
    assert preflight(tenant, "userinfo", WEB).status_code == 403
