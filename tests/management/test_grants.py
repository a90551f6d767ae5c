"""User grants: what users allowed applications, seen and taken back."""

from __future__ import annotations

import pytest

from tests.management.test_statements import statements
from tests.support.browser import Browser
from tests.support.flow import Granted, authorize, log_in, request_for
from tests.support.management import Api, tenant_api
from tests.support.server import Client, Server, Tenant, both_databases

GRANTS = """query($filter: GrantFilter) { grants(first: 100, filter: $filter) {
  totalCount
  nodes { id revision userId clientId audience scopes user { email } application { name }
    resourceServer { identifier } } } }"""
API = "https://api.example.com"
SCOPES = "openid offline_access read:things"


@pytest.fixture
def client(tenant: Tenant) -> Client:
    """A third party's application, which is always asked for."""
    tenant.user()
    tenant.api(API, "read:things", allow_offline_access=True)
    return tenant.application(name="Third", is_first_party=False)


def allow(browser: Browser, tenant: Tenant, client: Client, **parameters: str) -> Granted:
    """The person signs in if asked to, and allows what is asked for."""
    asked = request_for(client, **({"audience": API, "scope": SCOPES} | parameters))
    page = authorize(browser, tenant, asked.parameters)
    if page.title == "Log in":
        page = log_in(browser, page)
    page = browser.submit(page, "consent-form", press="consent-allow")
    return Granted(tenant, client, asked, page.answer)


def refresh(tenant: Tenant, client: Client, token: str) -> str | None:
    """The error of a refresh, or None."""
    answer = tenant.token(client, grant_type="refresh_token", refresh_token=token)
    error: str | None = answer.json().get("error")
    return error


@both_databases
def test_a_grant_is_seen_and_taken_back(
    tenant: Tenant, browser: Browser, client: Client, api: Api
) -> None:
    """RFC 9700 §4.14.2, OpenID Connect Core §3.1.2.4: the tokens end, the person is asked again."""
    tokens = allow(browser, tenant, client).tokens()
    (shown,) = api.data(GRANTS)["grants"]["nodes"]
    assert shown["clientId"] == client.id
    assert shown["application"] == {"name": "Third"}
    assert shown["audience"] == API
    assert shown["resourceServer"] == {"identifier": API}
    assert shown["scopes"] == SCOPES.split()
    assert shown["user"] == {"email": "ann@example.com"}
    node = api.data("query($id: ID!) { node(id: $id) { __typename } }", id=shown["id"])["node"]
    assert node == {"__typename": "Grant"}
    below = "{ users(first: 1) { nodes { grants(first: 5) { totalCount nodes { id } } } } }"
    (user,) = api.data(below)["users"]["nodes"]
    assert user["grants"] == {"totalCount": 1, "nodes": [{"id": shown["id"]}]}

    stale = {"id": shown["id"], "expectedRevision": shown["revision"] + 1}
    assert api.refused("grantDelete", stale)["code"] == "CONFLICT"
    done = api.do("grantDelete", "deletedId", {"id": shown["id"]})
    assert done["deletedId"] == shown["id"]
    assert api.data(GRANTS)["grants"] == {"totalCount": 0, "nodes": []}
    assert api.refused("grantDelete", {"id": shown["id"]})["code"] == "NOT_FOUND"
    assert refresh(tenant, client, tokens["refresh_token"]) == "invalid_grant"
    assert tenant.userinfo(tokens["access_token"]).status_code == 401
    (event,) = tenant.events("consent.deleted")
    assert (event.client_id, event.user_id) == (client.id, shown["userId"])
    silent = request_for(client, audience=API, scope=SCOPES, prompt="none")
    answer = authorize(browser, tenant, silent.parameters).answer
    assert answer["error"] == "consent_required", "the session is untouched, the consent is gone"


def test_a_code_of_a_grant_that_was_taken_back_gets_nothing(
    tenant: Tenant, browser: Browser, client: Client, api: Api
) -> None:
    """RFC 6749 §4.1.2 and §10.5: what was allowed is decided when the tokens are made."""
    granted = allow(browser, tenant, client)
    (shown,) = api.data(GRANTS)["grants"]["nodes"]
    api.do("grantDelete", "__typename", {"id": shown["id"]})
    answer = tenant.token(
        client,
        grant_type="authorization_code",
        code=granted.answer["code"],
        redirect_uri=client.redirect_uri,
        code_verifier=granted.asked.verifier,
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_what_others_have_stays(
    server: Server, tenant: Tenant, browser: Browser, client: Client, api: Api
) -> None:
    """One grant is of one user and one application."""
    other = tenant.application(name="Other", is_first_party=False)
    theirs = allow(browser, tenant, other).tokens()["refresh_token"]
    allow(browser, tenant, client)
    shown = api.data(GRANTS, filter={"clientId": client.id})["grants"]["nodes"]
    api.do("grantDelete", "__typename", {"id": shown[0]["id"]})
    assert refresh(tenant, other, theirs) is None
    (left,) = api.data(GRANTS)["grants"]["nodes"]
    assert left["application"] == {"name": "Other"}


@pytest.mark.parametrize("deletes", [True, False])
def test_revoking_deletes_the_grant_where_the_tenant_says_so(
    tenant: Tenant, browser: Browser, client: Client, api: Api, deletes: bool
) -> None:
    """RFC 7009 §2.1: the authorization server's policy may end the authorization itself."""
    api.do("tenantUpdate", "__typename", {"refreshTokenRevocationDeletesGrant": deletes})
    first = allow(browser, tenant, client).tokens()["refresh_token"]
    second = allow(browser, tenant, client, prompt="consent").tokens()["refresh_token"]
    assert api.data(GRANTS)["grants"]["totalCount"] == 1
    fields = {"token": first, "client_id": client.id, "client_secret": client.secret}
    assert tenant.server.client.post(tenant.url("oauth/revoke"), data=fields).status_code == 200
    assert api.data(GRANTS)["grants"]["totalCount"] == (0 if deletes else 1)
    assert refresh(tenant, client, first) == "invalid_grant"
    assert refresh(tenant, client, second) == ("invalid_grant" if deletes else None)


def test_filters(tenant: Tenant, browser: Browser, client: Client, api: Api) -> None:
    allow(browser, tenant, client)
    allow(browser, tenant, client, audience="", scope="openid email", prompt="consent")
    (user,) = api.data("{ users(first: 1) { nodes { userId } } }")["users"]["nodes"]

    def audiences(**criteria: str) -> list[str]:
        found = api.data(GRANTS, filter=criteria)["grants"]
        assert found["totalCount"] == len(found["nodes"])
        return [node["audience"] for node in found["nodes"]]

    userinfo = tenant.url("userinfo")
    assert audiences() == [API, userinfo]
    assert audiences(audience=userinfo) == [userinfo]
    assert audiences(userId=user["userId"], clientId=client.id) == [API, userinfo]
    assert audiences(userId="nobody") == audiences(clientId="nobody") == []
    by_audience = {node["audience"]: node for node in api.data(GRANTS)["grants"]["nodes"]}
    assert by_audience[userinfo]["resourceServer"] is None


def test_grants_of_users_take_a_constant_number_of_statements(
    server: Server, tenant: Tenant, client: Client, api: Api
) -> None:
    for number in range(4):
        email = f"user{number}@example.com"
        tenant.user(email)
        asked = request_for(client, audience=API, scope=SCOPES)
        browser = server.browser()
        page = log_in(browser, authorize(browser, tenant, asked.parameters), email)
        browser.submit(page, "consent-form", press="consent-allow")
    query = """query($first: Int!) { users(first: $first, orderBy: CREATED_AT_DESC) { nodes {
      grants(first: 5) { totalCount nodes { user { email } application { name }
        resourceServer { name } } } } } }"""
    api.data("{ viewer { id } }")
    counts = []
    for first in (1, 4):
        with statements(tenant) as seen:
            nodes = api.data(query, first=first)["users"]["nodes"]
        assert [node["grants"]["totalCount"] for node in nodes] == [1] * first
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 8


def test_grants_of_another_tenant_are_out_of_reach(
    server: Server, tenant: Tenant, browser: Browser, client: Client, api: Api
) -> None:
    """Law 1: nothing of one tenant is reachable through another."""
    allow(browser, tenant, client)
    (shown,) = api.data(GRANTS)["grants"]["nodes"]
    other = tenant_api(server.tenant(), "read:grants", "delete:grants")
    assert other.data(GRANTS)["grants"]["nodes"] == []
    assert other.refused("grantDelete", {"id": shown["id"]})["code"] == "NOT_FOUND"
    assert api.data(GRANTS)["grants"]["totalCount"] == 1


@pytest.mark.parametrize("scope", ["read:grants", "delete:grants"])
def test_scopes(tenant: Tenant, browser: Browser, client: Client, api: Api, scope: str) -> None:
    allow(browser, tenant, client)
    (shown,) = api.data(GRANTS)["grants"]["nodes"]
    limited = tenant_api(tenant, scope)
    reads = "{ grants(first: 1) { nodes { id } } }"
    mutation = "mutation($id: ID!) { grantDelete(input: {id: $id}) { deletedId } }"
    if scope == "read:grants":
        assert limited.data(reads)["grants"]["nodes"] == [{"id": shown["id"]}]
        assert limited.error(mutation, id=shown["id"])["requiredScopes"] == ["delete:grants"]
    else:
        assert limited.error(reads)["requiredScopes"] == ["read:grants"]
        assert limited.data(mutation, id=shown["id"])["grantDelete"]["deletedId"] == shown["id"]
