"""Sessions: seeing them and ending them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tenantry.core.context import SYSTEM, Caller
from tenantry.core.facts import Scope, UserFacts
from tenantry.core.ids import GlobalId
from tenantry.services import sessions, tenants
from tenantry.services.management_api import scopes_of
from tenantry.store import resource_servers, tables
from tenantry.store.unit_of_work import INSTALLATION
from tests.management.test_statements import statements
from tests.support.flow import authorize, request_for, sign_in
from tests.support.management import Api, tenant_api
from tests.support.server import Server, Tenant

SESSIONS = """query($filter: SessionFilter) { sessions(first: 100, filter: $filter) {
  totalCount
  nodes { id sessionId userId issuer amr createdAt authTime lastSeenAt expiresAt endedAt
    clientIds user { email } } } }"""


def begin(tenant: Tenant, user: UserFacts) -> str:
    """The global id of a new session."""
    session, _ = tenant.write(sessions.begin, user, tenant.issuer, None)
    return GlobalId("Session", tenant.id, session.id).encode()


def test_a_session_as_it_is_shown(server: Server, tenant: Tenant, api: Api) -> None:
    client = tenant.application()
    user = tenant.user()
    browser = server.browser()
    sign_in(browser, tenant, client).tokens()
    (shown,) = api.data(SESSIONS)["sessions"]["nodes"]
    assert shown["userId"] == user.id
    assert shown["user"] == {"email": "ann@example.com"}
    assert shown["issuer"] == tenant.issuer
    assert shown["amr"] == ["pwd"]
    assert shown["clientIds"] == [client.id]
    assert shown["endedAt"] is None
    assert shown["createdAt"] == shown["authTime"] == shown["lastSeenAt"] < shown["expiresAt"]
    node = api.data("query($id: ID!) { node(id: $id) { id __typename } }", id=shown["id"])["node"]
    assert node == {"id": shown["id"], "__typename": "Session"}
    (cookie,) = browser.cookies("session").values()
    assert cookie not in str(shown)


def test_filters(tenant: Tenant, api: Api) -> None:
    ann, bob = tenant.user(), tenant.user("bob@example.com")
    of_ann = [begin(tenant, ann) for _ in range(3)]
    of_bob = begin(tenant, bob)

    def ids(**criteria: object) -> set[str]:
        found = api.data(SESSIONS, filter=criteria)["sessions"]
        assert found["totalCount"] == len(found["nodes"])
        return {node["id"] for node in found["nodes"]}

    assert ids() == {*of_ann, of_bob}
    assert ids(userId=ann.id) == set(of_ann)
    assert ids(userId="nobody") == set()
    api.do("sessionRevoke", "__typename", {"id": of_ann[0]})
    assert ids(active=True) == {*of_ann[1:], of_bob}
    assert ids(active=False, userId=ann.id) == {of_ann[0]}


def test_sessions_of_users_take_a_constant_number_of_statements(tenant: Tenant, api: Api) -> None:
    for number in range(12):
        user = tenant.user(f"user{number}@example.com")
        for _ in range(2):
            begin(tenant, user)
    query = """query($first: Int!) { users(first: $first) { nodes {
      sessions(first: 5) { totalCount nodes { clientIds user { email } } } } } }"""
    api.data("{ viewer { id } }")
    counts = []
    for first in (2, 12):
        with statements(tenant) as seen:
            nodes = api.data(query, first=first)["users"]["nodes"]
        assert [node["sessions"]["totalCount"] for node in nodes] == [2] * first
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 6


def test_a_revoked_session_is_over_and_stays_as_it_was(
    server: Server, tenant: Tenant, api: Api
) -> None:
    client = tenant.application()
    tenant.user()
    browser = server.browser()
    sign_in(browser, tenant, client)
    (shown,) = api.data(SESSIONS)["sessions"]["nodes"]
    for _ in range(2):
        done = api.do("sessionRevoke", "session { id endedAt }", {"id": shown["id"]})["session"]
        assert done["id"] == shown["id"]
        assert done["endedAt"]
    answer = authorize(browser, tenant, request_for(client, prompt="none").parameters).answer
    assert answer["error"] == "login_required"
    assert len(tenant.events("session.revoked")) == 1


def test_all_sessions_of_a_user_are_revoked(tenant: Tenant, api: Api) -> None:
    ann, bob = tenant.user(), tenant.user("bob@example.com")
    for user in (ann, ann, bob):
        begin(tenant, user)
    done = api.do("userSessionsRevoke", "revokedCount", {"userId": ann.id})
    assert done["revokedCount"] == 2
    left = api.data(SESSIONS, filter={"active": True})["sessions"]["nodes"]
    assert [node["userId"] for node in left] == [bob.id]
    refusal = api.refused("userSessionsRevoke", {"userId": "nobody"})
    assert (refusal["code"], refusal["field"]) == ("NOT_FOUND", ["userId"])


def test_sessions_of_another_tenant_are_out_of_reach(
    server: Server, tenant: Tenant, api: Api
) -> None:
    """Law 1: nothing of one tenant is reachable through another."""
    other = server.tenant()
    stranger = other.user()
    theirs = begin(other, stranger)
    assert api.refused("sessionRevoke", {"id": theirs})["code"] == "NOT_FOUND"
    assert api.refused("userSessionsRevoke", {"userId": stranger.id})["code"] == "NOT_FOUND"
    assert api.data(SESSIONS)["sessions"]["nodes"] == []


@pytest.mark.parametrize("scope", ["read:sessions", "delete:sessions"])
def test_scopes(tenant: Tenant, scope: str) -> None:
    api = tenant_api(tenant, scope)
    session = begin(tenant, tenant.user())
    reads = "{ sessions(first: 1) { nodes { id } } }"
    mutation = "mutation($id: ID!) { sessionRevoke(input: {id: $id}) { session { id } } }"
    if scope == "read:sessions":
        assert api.data(reads)["sessions"]["nodes"] == [{"id": session}]
        assert api.error(mutation, id=session)["requiredScopes"] == ["delete:sessions"]
    else:
        assert api.error(reads)["requiredScopes"] == ["read:sessions"]
        assert api.data(mutation, id=session)["sessionRevoke"]["session"] == {"id": session}


def test_a_new_release_brings_its_scopes_to_every_tenant(server: Server, tenant: Tenant) -> None:
    """Tenants of an earlier release hold a management API with the scopes of that release."""
    other = server.tenant()
    renewed = (server.root, tenant)
    with server.runtime.store.database.writing() as connection:
        for one in renewed:
            api = tables.resource_servers
            connection.execute(
                api.update()
                .where(api.c.tenant_id == one.id, api.c.is_system.is_(True))
                .values(scopes=[{"value": "read:users", "description": "Read users"}])
            )
    write = server.runtime.store.write_now
    assert write(INSTALLATION, Caller(SYSTEM), tenants.renew_management_apis) == 2
    assert write(INSTALLATION, Caller(SYSTEM), tenants.renew_management_apis) == 0
    for one in (*renewed, other):
        found = one.read(resource_servers.find_by_identifier, one.url("graphql"))
        assert found.scopes == scopes_of(is_root=one is renewed[0])
        assert Scope("read:sessions", "Read sessions") in found.scopes


def test_a_shorter_lifetime_counts_for_sessions_that_are_there(
    server: Server, tenant: Tenant, api: Api
) -> None:
    """The tenant's setting holds from the moment when it is changed."""
    client = tenant.application()
    tenant.user()
    browser = server.browser()
    sign_in(browser, tenant, client)
    silent = request_for(client, prompt="none").parameters
    server.clock.advance(timedelta(minutes=10).total_seconds())
    assert "code" in authorize(browser, tenant, silent).answer
    api.do("tenantUpdate", "__typename", {"sessionLifetime": 300})
    assert authorize(browser, tenant, silent).answer["error"] == "login_required"
