"""RFC 6585 §4: too many requests are told when to come back, by the tenant's environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle

import httpx2
import pytest
from anyio.from_thread import BlockingPortal
from throttled import utils

from tenantry.core.access_control import AccessAction, AccessRule, EndpointGroup
from tenantry.core.facts import Environment
from tenantry.edge.routes import BY_ADDRESS, ROUTES
from tenantry.rules.rate_limits import ALLOWANCES, RateLimit
from tests.management.test_statements import statements
from tests.support.databases import Databases
from tests.support.registration import ask
from tests.support.server import Server, Tenant, begun

FACTOR = 0.001
OFFICE = AccessRule(
    action=AccessAction.ALLOW, endpoint_groups=tuple(EndpointGroup), cidrs=("127.0.0.0/8",)
)


@pytest.fixture(scope="module")
def server(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    """A server with small allowances: 10 requests of a client or an address at once."""
    with databases.url("sqlite") as url, begun(url, portal, rate_limit_factor=FACTOR) as made:
        yield made


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Stops the clock of the limits; it is moved by what is returned."""
    now = [utils.now_mono_f()]
    monkeypatch.setattr(utils, "now_mono_f", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


def until_refused(ask_once: Callable[[], httpx2.Response], most: int) -> httpx2.Response:
    """The first answer with 429, after at least one other and at most so many."""
    seen = 0
    while (response := ask_once()).status_code != 429:
        seen += 1
        assert seen <= most
    assert seen > 0
    return response


def is_told(response: httpx2.Response) -> None:
    """The form of RFC 6749 §5.2, and when to come back (RFC 6585 §4)."""
    assert response.status_code == 429
    assert response.json()["error"] == "too_many_requests"
    assert int(response.headers["retry-after"]) >= 1
    assert f"{response.headers['retry-after']} s" in response.json()["error_description"]
    assert "no-store" in response.headers["cache-control"]


def machine(tenant: Tenant) -> Callable[[], httpx2.Response]:
    """Asks for tokens as an application that no other is."""
    client = tenant.application("non_interactive")
    tenant.grant(client, tenant.url("graphql"), "read:users")
    return lambda: tenant.token(
        client, grant_type="client_credentials", audience=tenant.url("graphql")
    )


def test_an_application_is_limited_at_the_token_endpoint(
    server: Server, later: Callable[[float], None]
) -> None:
    tenant = server.tenant()
    one, other = machine(tenant), machine(tenant)
    refused = until_refused(one, 10)
    is_told(refused)
    assert other().status_code == 200
    later(int(refused.headers["retry-after"]))
    assert one().status_code == 200


def test_counting_asks_nobody(server: Server) -> None:
    """A token costs no statement but the row of the log, limits and access list included."""
    tenant = server.tenant(access_control_list=(OFFICE,))
    one = machine(tenant)
    assert one().status_code == 200
    with statements(tenant) as seen:
        assert one().status_code == 200
    assert seen == []


def test_nobody_else_can_use_up_an_applications_allowance(server: Server) -> None:
    """Requests that do not prove the application count for their address alone."""
    tenant = server.tenant()
    client = tenant.application("non_interactive")
    tenant.grant(client, tenant.url("graphql"), "read:users")
    form = {"grant_type": "client_credentials", "client_id": client.id}
    url = tenant.url("oauth/token")

    def guess() -> httpx2.Response:
        return server.client.post(url, data=form | {"client_secret": "x" * 40})

    is_told(until_refused(guess, 2))
    answer = tenant.token(client, grant_type="client_credentials", audience=tenant.url("graphql"))
    assert answer.status_code == 200
    refusals = list(tenant.events("token.refused"))
    assert 0 < len(refusals) <= 2


@pytest.mark.parametrize("path", ["oauth/introspect", "oauth/revoke"])
def test_an_application_is_limited_at_the_other_endpoints(server: Server, path: str) -> None:
    tenant = server.tenant()
    client = tenant.application("non_interactive")
    form = {
        "client_id": client.id,
        "client_secret": client.secret,
        "token": "unknown",
    }
    is_told(until_refused(lambda: server.client.post(tenant.url(path), data=form), 10))


def test_an_address_is_limited_at_each_page(server: Server) -> None:
    """Every endpoint at which no application proves itself first."""
    for path in set(ROUTES) & set(BY_ADDRESS):
        tenant = server.tenant(enable_dynamic_client_registration=True)
        url = tenant.url(path.removeprefix("/"))
        (method, *_) = ROUTES[path]
        is_told(until_refused(lambda m=method, u=url: server.client.request(m, u), 10))  # type: ignore[misc]
        assert server.client.get(tenant.url(".well-known/jwks.json")).status_code == 200


@pytest.mark.parametrize("path", ["jobs/x/results", "oidc/register/x"])
def test_an_address_is_limited_at_paths_with_a_name(server: Server, path: str) -> None:
    tenant = server.tenant(enable_dynamic_client_registration=True)
    until_refused(lambda: server.client.get(tenant.url(path)), 10)


def test_each_endpoint_is_limited_or_public() -> None:
    """Those that are left ask an application for its proof, or say the same to everybody."""
    assert set(ROUTES) - set(BY_ADDRESS) == {
        "/oauth/token",
        "/oauth/introspect",
        "/oauth/revoke",
        "/oauth/par",
        "/bc-authorize",
        "/oidc/check_session",
        "/.well-known/assetlinks.json",
        "/.well-known/apple-app-site-association",
        "/apple-app-site-association",
        "/.well-known/jwks.json",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource/graphql",
        "/healthz",
        "/readyz",
        "/",
    }


def test_a_person_sees_a_page(server: Server) -> None:
    tenant = server.tenant()
    html = {"accept": "text/html"}
    url = tenant.url("authorize")
    response = until_refused(lambda: server.client.get(url, headers=html), 10)
    assert response.headers["content-type"].startswith("text/html")
    assert int(response.headers["retry-after"]) >= 1
    assert "too_many_requests" in response.text
    assert "content-security-policy" in response.headers


def test_registration_has_a_limit_of_its_own(server: Server) -> None:
    """RFC 7591 §5: whoever may register as often as they like fills the database."""
    tenant = server.tenant(enable_dynamic_client_registration=True)
    is_told(until_refused(lambda: ask(tenant), 2))
    assert server.client.get(tenant.url("authorize")).status_code == 400


def test_production_has_more(server: Server) -> None:
    def lasts(tenant: Tenant) -> int:
        url = tenant.url("userinfo")
        return next(n for n in range(100) if server.client.get(url).status_code == 429)

    trial = lasts(server.tenant(environment=Environment.STAGING))
    assert lasts(server.tenant(environment=Environment.PRODUCTION)) == 5 * trial


def test_tenants_do_not_share(server: Server) -> None:
    first, second = server.tenant(), server.tenant()
    until_refused(lambda: server.client.get(first.url("userinfo")), 10)
    assert server.client.get(second.url("userinfo")).status_code == 401


def test_what_guards_the_installation_is_divided_among_the_processes() -> None:
    allowed = ALLOWANCES[Environment.DEVELOPMENT]
    shared, own = allowed[RateLimit.REGISTRATION], allowed[RateLimit.CLIENT]
    assert shared.scaled(1, 4).burst * 4 == shared.burst
    assert shared.scaled(1, 4).per_minute * 4 == shared.per_minute
    assert shared.scaled(1, 200).burst == 5
    assert own.scaled(1, 4) == own
    assert own.scaled(2.5, 4).burst == 2.5 * own.burst


def test_a_person_behind_trusted_applications_has_an_allowance(server: Server) -> None:
    """One for all of them; others keep theirs."""
    tenant = server.tenant()
    clients = [
        tenant.application("regular_web", is_token_endpoint_ip_header_trusted=True)
        for _ in range(2)
    ]
    turns = cycle(clients)

    def ask_for(person: str) -> httpx2.Response:
        fields = {**next(turns).body, "grant_type": "password", "username": "x", "password": "y"}
        headers = {"auth0-forwarded-for": person}
        return server.client.post(tenant.url("oauth/token"), data=fields, headers=headers)

    is_told(until_refused(lambda: ask_for("203.0.113.1"), 10))
    assert ask_for("203.0.113.2").status_code != 429
