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
from tests.support.flow import Granted, authorize, log_in, request_for, sign_in
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


@pytest.mark.parametrize(
    "mutation, more",
    [("userBlock", {}), ("userPasswordSet", {"password": "another password entirely"})],
)
def test_a_block_and_a_new_password_end_sessions_and_tokens(
    server: Server, tenant: Tenant, api: Api, mutation: str, more: dict[str, str]
) -> None:
    """OWASP ASVS 3.3.3, RFC 9700 §4.14.2: at once, everywhere, and of this user alone."""
    client = tenant.application("spa")
    bob = tenant.user("bob@example.com")
    users = api.data("{ users(first: 1) { nodes { id } } }")["users"]["nodes"]
    tenant.user()
    asked = {"scope": "openid offline_access"}
    browsers = [server.browser() for _ in range(3)]
    tokens = [sign_in(browser, tenant, client, **asked).tokens() for browser in browsers[:2]]
    other = request_for(client, **asked)
    page = authorize(browsers[2], tenant, other.parameters)
    answer = log_in(browsers[2], page, bob.email or "").answer
    tokens.append(Granted(tenant, client, other, answer).tokens())
    ann = api.data("{ users(first: 1, orderBy: CREATED_AT_DESC) { nodes { id } } }")
    id_ = ann["users"]["nodes"][0]["id"]
    assert id_ != users[0]["id"]
    api.do(mutation, "user { id }", {"id": id_} | more)
    silent = request_for(client, prompt="none").parameters
    for browser, made, is_anns in zip(browsers, tokens, (True, True, False), strict=True):
        kept = tenant.token(
            client, grant_type="refresh_token", refresh_token=made["refresh_token"]
        ).json()
        assert kept.get("error") == ("invalid_grant" if is_anns else None)
        assert tenant.userinfo(made["access_token"]).status_code == (401 if is_anns else 200)
        assert ("code" in authorize(browser, tenant, silent).answer) is not is_anns


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


@pytest.mark.parametrize(
    "steps", [[4_320 * 60 - 30, 4_320 * 60 + 1], [2 * 86_400] * 4], ids=["unused", "used"]
)
def test_sessions_last_three_days_unused_and_seven_at_most(
    server: Server, tenant: Tenant, api: Api, steps: list[int]
) -> None:
    """The defaults: 4,320 minutes without use, 10,080 minutes however they are used."""
    shown = api.data("{ tenant { sessionIdleLifetime sessionLifetime } }")["tenant"]
    assert shown == {"sessionIdleLifetime": 4_320 * 60, "sessionLifetime": 10_080 * 60}
    client = tenant.application()
    tenant.user()
    browser = server.browser()
    sign_in(browser, tenant, client)
    silent = request_for(client, prompt="none").parameters
    answers = []
    for seconds in steps:
        server.clock.advance(seconds)
        answers.append("code" in authorize(browser, tenant, silent).answer)
    assert answers == [True] * (len(steps) - 1) + [False]


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
