"""OpenID Connect Back-Channel Logout 1.0: applications are told that a sign-in has ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from anyio.from_thread import BlockingPortal

from tenantry.core.clock import timestamp
from tenantry.core.facts import UserFacts
from tenantry.jobs.outbox import MAX_ATTEMPTS, deliver
from tenantry.services import sessions, users
from tenantry.services.commands import Patch
from tenantry.store import tables
from tests.support import jwt
from tests.support.browser import Browser
from tests.support.databases import Databases
from tests.support.flow import authorize, log_in, request_for, sign_in
from tests.support.listener import Listener, listening
from tests.support.server import Client, Server, Tenant, begun, both_databases

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, databases: Databases, portal: BlockingPortal
) -> Iterator[Server]:
    """A server whose operator lets it ask addresses on this machine."""
    with (
        databases.url(getattr(request, "param", "sqlite")) as url,
        begun(url, portal, outbound_allow_private=True) as made,
    ):
        yield made


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


@pytest.fixture
def user(tenant: Tenant) -> UserFacts:
    return tenant.user()


@pytest.fixture
def client(tenant: Tenant, user: UserFacts, listener: Listener) -> Client:
    return tenant.application(backchannel_logout_uri=f"{listener.origin}/logout?from=us")


def deliveries(server: Server) -> int:
    """Sends what is due; how many attempts were made."""
    attempts: int = server.portal.call(deliver, server.runtime.store, server.application.deliveries)
    return attempts


def logout_token(request: tuple[str, bytes]) -> str:
    fields = parse_qs(request[1].decode())
    assert fields.keys() == {"logout_token"}
    return fields["logout_token"][0]


def told(server: Server, listener: Listener) -> list[dict[str, Any]]:
    """The claims of the logout tokens that came."""
    listener.requests.clear()
    deliveries(server)
    return [jwt.claims_of(logout_token(request)) for request in listener.requests]


@both_databases
def test_a_logout_token(
    server: Server, tenant: Tenant, browser: Browser, client: Client, listener: Listener
) -> None:
    """Back-Channel Logout §2.4 to §2.6: what it says, who signs it, how it is sent."""
    id_token = sign_in(browser, tenant, client).tokens()["id_token"]
    assert deliveries(server) == 0
    browser.get(tenant.url("oidc/logout"), {"id_token_hint": id_token})
    assert deliveries(server) == 1
    (request,) = listener.requests
    path, _ = request
    assert path == "/logout?from=us"
    assert listener.headers[0]["content-type"] == "application/x-www-form-urlencoded"
    token = logout_token(request)
    header, claims, given = jwt.header_of(token), jwt.claims_of(token), jwt.claims_of(id_token)
    assert header["typ"] == "logout+jwt"
    assert header["alg"] == jwt.header_of(id_token)["alg"]
    jwt.verify(token, tenant.jwks())
    assert claims.keys() == {"iss", "sub", "aud", "iat", "exp", "jti", "events", "sid"}
    assert claims["iss"] == tenant.issuer
    assert claims["aud"] == client.id
    assert (claims["sub"], claims["sid"]) == (given["sub"], given["sid"])
    assert claims["events"] == {EVENT: {}}
    assert claims["exp"] - claims["iat"] <= 120
    assert abs(claims["iat"] - timestamp(server.clock.now())) <= 5
    assert deliveries(server) == 0, "once is enough"
    # It is of no use as an ID token.
    page = browser.get(tenant.url("oidc/logout"), {"id_token_hint": token})
    assert page.error == "invalid_request"


def test_who_took_part_is_told_and_nobody_else(
    server: Server, tenant: Tenant, browser: Browser, client: Client, listener: Listener
) -> None:
    """Back-Channel Logout §2.3: the applications that the person is logged in to."""
    uri = f"{listener.origin}/other"
    second = tenant.application(name="Second", backchannel_logout_uri=uri)
    tenant.application(name="Stranger", backchannel_logout_uri=uri)
    silent = tenant.application(name="Silent")
    without = tenant.application(name="No ID token", backchannel_logout_uri=uri)
    sids = {
        jwt.claims_of(sign_in(browser, tenant, one).tokens()["id_token"])["sid"]
        for one in (client, second, silent)
    }
    asked = {"scope": "profile"}
    sign_in(browser, tenant, tenant.change_application(without, oidc_conformant=False), **asked)
    elsewhere = server.browser()
    sign_in(elsewhere, tenant, second).tokens()
    browser.get(tenant.url("v2/logout"))
    claims = told(server, listener)
    assert {claim["aud"] for claim in claims} == {client.id, second.id}
    assert {claim["sid"] for claim in claims} == sids
    assert len({claim["jti"] for claim in claims}) == 2


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("how", ["block", "password", "delete", "revoke", "revoke all"])
@both_databases
def test_every_end_is_told(
    server: Server,
    tenant: Tenant,
    browser: Browser,
    client: Client,
    user: UserFacts,
    listener: Listener,
    how: str,
    required: bool,
) -> None:
    """Back-Channel Logout §2.3: also what an administrator ends. §2.4: without `sid` it is said of
    all the sessions that the application has of the person.
    """
    tenant.change_application(client, backchannel_logout_session_required=required)
    given = jwt.claims_of(sign_in(browser, tenant, client).tokens()["id_token"])
    if how == "block":
        tenant.block(user)
    elif how == "password":
        tenant.set_password(user, "another password entirely")
    elif how == "delete":
        tenant.write(users.delete, Patch(user.id))
    elif how == "revoke":
        tenant.write(sessions.revoke, given["sid"])
    else:
        assert tenant.write(sessions.revoke_for_user, user.id) == 1
    (claims,) = told(server, listener)
    assert claims["sub"] == given["sub"]
    if required or how == "revoke":
        assert claims["sid"] == given["sid"]
    else:
        assert "sid" not in claims


@pytest.mark.parametrize("required", [True, False])
def test_whether_each_session_is_named_at_the_end_of_all(
    server: Server,
    tenant: Tenant,
    client: Client,
    user: UserFacts,
    listener: Listener,
    required: bool,
) -> None:
    """Back-Channel Logout §2.2 and §2.4: `backchannel_logout_session_required`."""
    tenant.change_application(client, backchannel_logout_session_required=required)
    sids = [
        jwt.claims_of(sign_in(server.browser(), tenant, client).tokens()["id_token"])["sid"]
        for _ in range(3)
    ]
    tenant.write(sessions.revoke, sids[0])
    (claims,) = told(server, listener)
    assert claims["sid"] == sids[0], "the others last: only this one may be ended"
    tenant.block(user)
    heard = [claim.get("sid") for claim in told(server, listener)]
    assert sorted(map(str, heard)) == (sorted(sids[1:]) if required else ["None"])


def test_a_new_login_of_the_same_person_keeps_the_old_ones(
    server: Server, tenant: Tenant, browser: Browser, client: Client, listener: Listener
) -> None:
    """Back-Channel Logout §2.4: at the end each application hears the `sid` that it knows."""
    second = tenant.application(name="Second", backchannel_logout_uri=f"{listener.origin}/2")
    sids = [
        jwt.claims_of(sign_in(browser, tenant, one, prompt=prompt).tokens()["id_token"])["sid"]
        for one, prompt in ((client, None), (second, "login"))
    ]
    assert sids[0] != sids[1]
    assert told(server, listener) == []
    browser.get(tenant.url("v2/logout"))
    claims = told(server, listener)
    assert {(claim["aud"], claim["sid"]) for claim in claims} == {
        (client.id, sids[0]),
        (second.id, sids[1]),
    }


def test_somebody_else_in_the_same_browser_ends_the_session(
    server: Server, tenant: Tenant, browser: Browser, client: Client, listener: Listener
) -> None:
    """Back-Channel Logout §2.3: the person before is logged out."""
    given = jwt.claims_of(sign_in(browser, tenant, client).tokens()["id_token"])
    tenant.user("bob@example.com")
    page = authorize(browser, tenant, request_for(client, prompt="login").parameters)
    assert "code" in log_in(browser, page, "bob@example.com").answer
    (claims,) = told(server, listener)
    assert (claims["sub"], claims["sid"]) == (given["sub"], given["sid"])


def test_a_failed_delivery_is_tried_again_with_a_new_token(
    server: Server, tenant: Tenant, browser: Browser, client: Client, listener: Listener
) -> None:
    """Back-Channel Logout §2.8: any answer but 200 and 204 is a failure."""
    sign_in(browser, tenant, client).tokens()
    browser.get(tenant.url("v2/logout"))
    listener.statuses[:] = [400, 503, 302, 204]
    tokens = set()
    for _ in range(4):
        assert deliveries(server) == 1
        tokens.add(logout_token(listener.requests[-1]))
        assert deliveries(server) == 0, "it waits before it is tried again"
        server.clock.advance(120)
    assert len(tokens) == len({jwt.claims_of(token)["jti"] for token in tokens}) == 4
    assert all(jwt.claims_of(token)["exp"] - jwt.claims_of(token)["iat"] <= 120 for token in tokens)
    assert deliveries(server) == 0


def test_attempts_are_bounded(
    server: Server, tenant: Tenant, browser: Browser, client: Client, listener: Listener
) -> None:
    """What cannot be delivered is given up, and the audit log says so."""
    sign_in(browser, tenant, client).tokens()
    browser.get(tenant.url("v2/logout"))
    listener.statuses[:] = [500] * 20
    attempts = 0
    for _ in range(20):
        attempts += deliveries(server)
        server.clock.advance(2 * 3600)
    assert attempts == len(listener.requests) == MAX_ATTEMPTS
    (event,) = tenant.events("delivery.failed")
    assert event.client_id == client.id
    assert event.details["kind"] == "backchannel_logout"
    assert "500" in str(event.details["error"])


def test_inner_addresses_are_not_asked(
    https_server: Server, listener: Listener, tenant: Tenant
) -> None:
    """Decided by the operator: no request to addresses that are not public."""
    for uri in (f"{listener.origin}/logout", "https://127.0.0.1:9/logout"):
        inner = https_server.tenant()
        inner.user()
        client = inner.application(backchannel_logout_uri=uri)
        browser = https_server.browser()
        sign_in(browser, inner, client).tokens()
        browser.get(inner.url("v2/logout"))
    assert deliveries(https_server) == 2
    assert listener.requests == []
    with https_server.runtime.store.database.reading() as connection:
        errors = [row.last_error for row in connection.execute(tables.deliveries.select())]
    assert len(errors) == 2
    assert all(str(error).startswith("OutboundError") for error in errors)


def test_an_application_that_is_gone_hears_nothing(
    server: Server, tenant: Tenant, browser: Browser, client: Client, listener: Listener
) -> None:
    """The address is the one that is registered when the message is sent."""
    sign_in(browser, tenant, client).tokens()
    browser.get(tenant.url("v2/logout"))
    tenant.change_application(client, backchannel_logout_uri=None)
    assert told(server, listener) == []
    assert deliveries(server) == 0


def test_a_message_is_sealed(
    server: Server, tenant: Tenant, browser: Browser, client: Client, user: UserFacts
) -> None:
    """What waits in the outbox cannot be read from the database."""
    sign_in(browser, tenant, client).tokens()
    browser.get(tenant.url("v2/logout"))
    with server.runtime.store.database.reading() as connection:
        rows = connection.execute(
            tables.deliveries.select().where(tables.deliveries.c.tenant_id == tenant.id)
        ).all()
    assert len(rows) == 1
    assert user.id not in repr(rows)
    assert client.id not in repr(rows)
    deliveries(server)


WRONG = (
    "http://app.example.com/logout",
    "https://app.example.com/logout#x",
    "https://user@app.example.com/",
    "/logout",
    "ftp://app.example.com/",
    "javascript:alert(1)",
    "https://a;b/",
)


@pytest.mark.parametrize("uri", WRONG)
@pytest.mark.parametrize("name", ["backchannel_logout_uri", "frontchannel_logout_uri"])
def test_addresses_that_are_refused(tenant: Tenant, uri: str, name: str) -> None:
    """Back-Channel Logout §2.2, Front-Channel Logout §2."""
    with pytest.raises(Exception, match=r"absolute URL|https") as refusal:
        tenant.application(**{name: uri})
    assert refusal.value.field == (name,)  # type: ignore[attr-defined]


def test_discovery(tenant: Tenant) -> None:
    """Back-Channel Logout §2.1."""
    url = tenant.url(".well-known/openid-configuration")
    metadata = tenant.server.client.get(url).json()
    assert metadata["backchannel_logout_supported"] is True
    assert metadata["backchannel_logout_session_supported"] is True
