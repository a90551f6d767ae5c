"""RFC 9700 §4.4 and RFC 8414 §6: nothing of one tenant works at another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from anyio.from_thread import BlockingPortal

from tenantry.services import tenants
from tenantry.services.commands import Patch
from tests.support import jwt
from tests.support.browser import query_of
from tests.support.databases import Databases
from tests.support.flow import authorize, log_in, refused, request_for, sign_in
from tests.support.server import (
    CALLBACK,
    ROOT_SECRET,
    Client,
    Server,
    Tenant,
    both_databases,
)

API = "https://api.example.com"
SECRET = "one-secret-in-two-tenants-0123456789"


def twins(first: Tenant, second: Tenant) -> tuple[Client, Client]:
    """Two tenants as alike as they can be: same names, emails, URLs, APIs, secrets."""
    made = []
    for tenant in (first, second):
        client = tenant.application(secret=SECRET, post_logout_redirect_uris=(CALLBACK,))
        tenant.api(API, "read")
        tenant.grant(client, API, "read")
        tenant.user()
        made.append(client)
    return made[0], made[1]


@pytest.fixture(params=["path", "host", "root"])
def pair(
    request: pytest.FixtureRequest,
    server: Server,
    https_server: Server,
    databases: Databases,
    portal: BlockingPortal,
) -> Iterator[tuple[Tenant, Tenant]]:
    """Two tenants of one server: by path, by host, and one by path beside the root."""
    if request.param == "path":
        yield server.tenant(), server.tenant()
    elif request.param == "host":
        yield https_server.tenant(), https_server.tenant()
    else:
        with databases.url("sqlite") as url:
            own = Server(url, portal)
            own.begin()
            yield own.tenant(), own.root
            own.close()


def test_issuers_and_keys_differ(pair: tuple[Tenant, Tenant]) -> None:
    """RFC 8414 §3.3: each issuer its own document and its own keys."""
    first, second = pair
    kids = [{key["kid"] for key in tenant.jwks()["keys"]} for tenant in pair]
    assert first.issuer != second.issuer
    assert not kids[0] & kids[1]


def test_a_code(pair: tuple[Tenant, Tenant]) -> None:
    """Redeemed elsewhere it is unknown, and it still works at home."""
    first, second = pair
    client, other = twins(first, second)
    granted = sign_in(first.server.browser(), first, client)
    with first.server.stores_nothing():
        refused(second.token(client, **granted.fields()), 401, "invalid_client")
        refused(second.token(other, **granted.fields()), 400, "invalid_grant")
        refused(first.token(other, **granted.fields()), 401, "invalid_client")
    assert granted.tokens()


def test_tokens(pair: tuple[Tenant, Tenant]) -> None:
    """An access token of one tenant is rubbish at the other."""
    first, second = pair
    client, _ = twins(first, second)
    tokens = sign_in(first.server.browser(), first, client).tokens()
    assert first.userinfo(tokens["access_token"]).status_code == 200
    refused(second.userinfo(tokens["access_token"]), 401, "invalid_token")


def test_logout_hints(pair: tuple[Tenant, Tenant]) -> None:
    """An ID token of one tenant is no hint at the other."""
    first, second = pair
    client, _ = twins(first, second)
    browser = first.server.browser()
    hint = sign_in(browser, first, client).tokens()["id_token"]
    page = browser.get(second.url("oidc/logout"), {"id_token_hint": hint})
    assert (page.status, page.error) == (400, "invalid_request")


def test_applications(pair: tuple[Tenant, Tenant]) -> None:
    """RFC 6749 §2.2: a client identifier is unique to its authorization server."""
    first, second = pair
    client, _ = twins(first, second)
    ask = {"grant_type": "client_credentials", "audience": API}
    assert first.token(client, **ask).status_code == 200
    with first.server.stores_nothing():
        refused(second.token(client, **ask), 401, "invalid_client")
        page = authorize(first.server.browser(), second, request_for(client).parameters)
        assert (page.status, page.error) == (400, "invalid_request")


def test_sessions_and_cookies(pair: tuple[Tenant, Tenant]) -> None:
    """RFC 6265 §8.6: a browser that is signed in here is a stranger there."""
    first, second = pair
    one, two = twins(first, second)
    browser = first.server.browser()
    sign_in(browser, first, one)
    ((name, value),) = browser.cookies("session").items()
    assert first.id in name
    silent = request_for(two, prompt="none")
    assert authorize(browser, second, silent.parameters).answer["error"] == "login_required"
    for cookie in (name, name.replace(first.id, second.id)):
        headers = {"cookie": f"{cookie}={value}"}
        response = second.server.client.get(
            second.url("authorize"), params=silent.parameters, headers=headers
        )
        assert query_of(response.headers["location"])["error"] == "login_required"


def test_handles_and_forms(pair: tuple[Tenant, Tenant]) -> None:
    """The page of an authorization exists at its own tenant alone."""
    first, second = pair
    client, _ = twins(first, second)
    browser = first.server.browser()
    page = authorize(browser, first, request_for(client).parameters)
    (value,) = browser.cookies("browser").values()
    headers = {
        "cookie": f"tenantry_browser_{second.id}={value}; tenantry_browser_{first.id}={value}",
        "accept": "text/html",
    }
    with first.server.stores_nothing():
        url = page.url.replace(first.issuer, second.issuer)
        response = second.server.client.get(url, headers=headers)
        assert response.status_code == 400
        fields = dict(page.forms["login-form"].fields) | {"username": "ann@example.com"}
        response = second.server.client.post(url, headers=headers, data=fields)
        assert response.status_code == 400
    assert "code" in log_in(browser, page).answer


def test_users(server: Server) -> None:
    """A user of one tenant cannot sign in at the other, with the right password."""
    first, second = server.tenant(), server.tenant()
    first.user("only-here@example.com")
    for tenant, expected in ((first, True), (second, False)):
        client = tenant.application()
        browser = server.browser()
        page = authorize(browser, tenant, request_for(client).parameters)
        page = log_in(browser, page, "only-here@example.com")
        assert bool(page.left_for) is expected


def test_the_roots_token_for_another_tenants_management(server: Server, tenant: Tenant) -> None:
    """RFC 8707 §2: the root's application names one tenant's API; the tenant's own do not."""
    root = server.root
    fields = {"grant_type": "client_credentials", "audience": tenant.url("graphql")}
    answer = root.token(
        Client(tenant.application().facts, ""), ("tenantry-bootstrap", ROOT_SECRET), **fields
    )
    claims = jwt.claims_of(answer.json()["access_token"])
    assert (claims["iss"], claims["aud"]) == (root.issuer, tenant.url("graphql"))
    assert "create:tenants" not in claims["scope"].split()
    machine = tenant.application("non_interactive")
    other = server.tenant()
    for audience in (root.url("graphql"), other.url("graphql")):
        response = tenant.token(machine, grant_type="client_credentials", audience=audience)
        refused(response, 400, "invalid_target")


@both_databases
def test_addresses_by_path(server: Server, tenant: Tenant) -> None:
    """RFC 8414 §3: the root is at the origin, not at a path; the unknown is not found."""
    get = server.client.get
    document = ".well-known/openid-configuration"
    assert get(server.root.url(document)).json()["issuer"] == f"{server.public_url}/"
    assert get(tenant.url(document)).json()["issuer"] == tenant.issuer
    for name in ("root", "nowhere", tenant.name.upper(), f"{tenant.name}.", tenant.id):
        assert get(f"{server.public_url}/t/{name}/{document}").status_code == 404
        assert get(
            f"{server.public_url}/.well-known/openid-configuration/t/{name}"
        ).status_code == (404)


def test_addresses_by_host(https_server: Server) -> None:
    """RFC 9110 §15.5.20: an unknown host is misdirected, and the path form is no address."""
    tenant = https_server.tenant()
    get = https_server.client.get
    document = ".well-known/openid-configuration"
    assert get(tenant.url(document)).json()["issuer"] == tenant.issuer
    assert tenant.issuer == f"https://{tenant.name}.auth.example.com/"
    assert get(f"{https_server.public_url}/t/{tenant.name}/{document}").status_code == 404
    inserted = f"{https_server.public_url}/.well-known/openid-configuration/t/{tenant.name}"
    assert get(inserted).status_code == 404
    for host in (
        "nowhere.auth.example.com",
        "root.auth.example.com",
        f"a.{tenant.name}.auth.example.com",
        f"{tenant.name}.auth.example.com.evil.example.com",
        f"{tenant.name}-auth.example.com",
        f"{tenant.name}.auth.example.com:8443",
        "example.com",
    ):
        response = get(f"https://{host}/{document}")
        assert (response.status_code, response.json()) == (421, {"error": "misdirected_request"})
    upper = https_server.raw(
        "GET",
        tenant.url(document),
        headers=[(b"host", tenant.name.upper().encode() + b".AUTH.example.com:443")],
    )
    assert upper.json()["issuer"] == tenant.issuer


@both_databases
def test_a_deleted_tenant_is_gone_at_once(server: Server) -> None:
    """RFC 8414 §3: its documents, keys and tokens are not found any more."""
    tenant = server.tenant()
    client = tenant.application("non_interactive")
    tenant.api(API)
    tenant.grant(client, API)
    ask = {"grant_type": "client_credentials", "audience": API}
    assert tenant.token(client, **ask).status_code == 200
    tenant.write(tenants.delete, Patch(tenant.id))
    with server.stores_nothing():
        assert tenant.token(client, **ask).status_code == 404
        for path in (".well-known/openid-configuration", "authorize", "userinfo"):
            assert server.client.get(tenant.url(path)).status_code == 404
