"""Organizations, members, invitations and what client grants cover, as they are administered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Table

from tenantry.core.facts import DATABASE_CONNECTION
from tenantry.store import tables
from tests.management.test_statements import statements
from tests.support.management import Api, Json
from tests.support.organizations import organization
from tests.support.server import Server, Tenant

API = "https://api.example.com"
ANN = "ann@example.com"


def made(api: Api, name: str = "acme", **values: Any) -> Json:
    found: Json = api.do(
        "organizationCreate", "organization { id organizationId }", {"name": name} | values
    )["organization"]
    return found


@pytest.fixture
def client_id(api: Api) -> str:
    found: str = api.application(
        applicationType="REGULAR_WEB",
        organizationUsage="ALLOW",
        initiateLoginUri="https://app.example.com/login",
    )["clientId"]
    return found


def rows_of(tenant: Tenant, table: Table) -> list[Any]:
    with tenant.server.runtime.store.database.reading() as connection:
        return list(connection.execute(table.select().where(table.c.tenant_id == tenant.id)))


def test_an_organization_with_all_that_belongs_to_it(
    api: Api, tenant: Tenant, client_id: str
) -> None:
    acme = made(api, displayName="Acme", organizationMetadata={"plan": "gold"})
    user, role = tenant.user(), tenant.role("reader", tenant.url("graphql"), "read:users")
    role_id = api.data("{ roles(first: 1) { nodes { id } } }")["roles"]["nodes"][0]["id"]
    assert role.name == "reader"
    enabled = {"id": acme["id"], "connection": DATABASE_CONNECTION}
    api.do("organizationConnectionSet", "__typename", enabled)
    api.do("organizationConnectionSet", "__typename", enabled | {"assignMembershipOnLogin": True})
    api.do("organizationMembersAdd", "__typename", {"id": acme["id"], "userIds": [user.id] * 2})
    given = {"id": acme["id"], "userId": user.id, "roleIds": [role_id]}
    member = api.do(
        "organizationMemberRolesAdd", "organizationMember { userId roles { name } }", given
    )
    assert member["organizationMember"] == {"userId": user.id, "roles": [{"name": "reader"}]}
    answer = api.do(
        "organizationInvitationCreate",
        "organizationInvitation { id inviteeEmail roles { name } } invitationUrl",
        {
            "organizationId": acme["organizationId"],
            "clientId": client_id,
            "inviterName": "Bob",
            "inviteeEmail": "new@example.com",
            "roleIds": [role_id],
        },
    )
    assert parse_qs(urlsplit(answer["invitationUrl"]).query)["organization_name"] == ["acme"]
    shown = api.data(
        """query($id: String!) { organization(organizationId: $id) {
          name displayName organizationMetadata revision
          connections { connection { name } assignMembershipOnLogin }
          members(first: 5) { totalCount nodes { user { email } roles { name } } }
          invitations(first: 5) { totalCount nodes {
            inviterName acceptedAt acceptedBy { email } roles { name } organization { name } } }
        } }""",
        id=acme["organizationId"],
    )["organization"]
    assert shown == {
        "name": "acme",
        "displayName": "Acme",
        "organizationMetadata": {"plan": "gold"},
        "revision": 3,
        "connections": [
            {"connection": {"name": DATABASE_CONNECTION}, "assignMembershipOnLogin": True}
        ],
        "members": {
            "totalCount": 1,
            "nodes": [{"user": {"email": ANN}, "roles": [{"name": "reader"}]}],
        },
        "invitations": {
            "totalCount": 1,
            "nodes": [
                {
                    "inviterName": "Bob",
                    "acceptedAt": None,
                    "acceptedBy": None,
                    "roles": [{"name": "reader"}],
                    "organization": {"name": "acme"},
                }
            ],
        },
    }
    found = api.data(
        "query($id: String!) { user(userId: $id) { roles { name }"
        " organizations(first: 5) { totalCount nodes { name } } } }",
        id=user.id,
    )["user"]
    assert found == {"roles": [], "organizations": {"totalCount": 1, "nodes": [{"name": "acme"}]}}


def test_lists(api: Api) -> None:
    for name in ("beta", "acme", "alpha"):
        made(api, name)
    listed = api.data(
        '{ organizations(first: 2, orderBy: NAME_ASC, filter: {nameContains: "A"})'
        " { totalCount nodes { name } pageInfo { endCursor } } }"
    )["organizations"]
    assert listed["totalCount"] == 3
    assert [node["name"] for node in listed["nodes"]] == ["acme", "alpha"]
    rest = api.data(
        "query($after: String!) { organizations(first: 2, orderBy: NAME_ASC, after: $after)"
        " { nodes { name } } }",
        after=listed["pageInfo"]["endCursor"],
    )["organizations"]
    assert rest["nodes"] == [{"name": "beta"}]


@pytest.mark.parametrize(
    "name", ["", "A", "a b", "a.b", "-a", "_a", "org_a", "x" * 51, "ä", "a/b", "a\u0001"]
)
def test_names_that_no_organization_has(api: Api, name: str) -> None:
    refusal = api.refused("organizationCreate", {"name": name})
    assert refusal["field"] == ["name"]


@pytest.mark.parametrize(
    "changes, code, field",
    [
        ({"name": "taken"}, "ALREADY_EXISTS", ["name"]),
        ({"name": None}, "REQUIRED", ["name"]),
        ({"displayName": "<b>"}, "INVALID", ["displayName"]),
        ({"logoUri": "javascript:alert(1)"}, "INVALID", ["logoUri"]),
        ({"organizationMetadata": {str(n): "x" for n in range(11)}}, "TOO_MANY",
         ["organizationMetadata"]),
        ({"organizationMetadata": {"x": 1}}, "INVALID", ["organizationMetadata"]),
        ({"expectedRevision": 9}, "CONFLICT", ["expectedRevision"]),
    ],
)  # fmt: skip
def test_refused_changes(api: Api, changes: Json, code: str, field: list[str]) -> None:
    made(api, "taken")
    acme = made(api)
    refusal = api.refused("organizationUpdate", {"id": acme["id"]} | changes)
    assert (refusal["code"], refusal["field"]) == (code, field)


def test_absent_is_unchanged_and_null_clears(api: Api) -> None:
    acme = made(
        api,
        displayName="Acme",
        logoUri="https://acme.example.com/logo.png",
        organizationMetadata={"a": "1", "b": "2"},
    )
    shown = "organization { name displayName logoUri organizationMetadata }"
    change: Json = {"id": acme["id"], "organizationMetadata": {"a": None, "c": "3"}}
    assert api.do("organizationUpdate", shown, change)["organization"] == {
        "name": "acme",
        "displayName": "Acme",
        "logoUri": "https://acme.example.com/logo.png",
        "organizationMetadata": {"b": "2", "c": "3"},
    }
    cleared = dict.fromkeys(("displayName", "logoUri", "organizationMetadata"))
    assert api.do("organizationUpdate", shown, {"id": acme["id"]} | cleared)["organization"] == {
        "name": "acme",
        "displayName": "",
        "logoUri": None,
        "organizationMetadata": {},
    }


def test_foreign_ids_are_unknown(server: Server, api: Api, tenant: Tenant, client_id: str) -> None:
    """A neighbour's organization, user, role and connection are as unknown as none."""
    other = server.tenant()
    theirs, their_user = organization(other), other.user()
    acme = made(api)["id"]
    found = api.data(
        "query($id: String!) { organization(organizationId: $id) { name } }", id=theirs.id
    )
    assert found == {"organization": None}
    cases: list[tuple[str, Json, list[str]]] = [
        ("organizationUpdate", {"id": theirs.id, "name": "x"}, ["id"]),
        ("organizationDelete", {"id": client_id}, ["id"]),
        ("organizationMembersAdd", {"id": acme, "userIds": [their_user.id]}, ["userIds", "0"]),
        ("organizationMemberRolesAdd",
         {"id": acme, "userId": their_user.id, "roleIds": []}, ["userId"]),
        ("organizationConnectionSet", {"id": acme, "connection": "unknown"}, ["connection"]),
        ("organizationInvitationDelete", {"id": acme}, ["id"]),
        (
            "organizationInvitationCreate",
            {"organizationId": theirs.id, "clientId": client_id, "inviterName": "B",
             "inviteeEmail": ANN},
            ["organizationId"],
        ),
    ]  # fmt: skip
    for mutation, input, field in cases:
        refusal = api.refused(mutation, input)
        assert (refusal["code"], refusal["field"]) == ("NOT_FOUND", field), mutation


def test_refused_invitations(api: Api, client_id: str) -> None:
    acme = made(api)["organizationId"]
    good: Json = {
        "organizationId": acme,
        "clientId": client_id,
        "inviterName": "Bob",
        "inviteeEmail": ANN,
    }
    plain = api.application()["clientId"]
    cases: list[tuple[Json, str, list[str]]] = [
        ({"inviteeEmail": "nobody"}, "INVALID", ["inviteeEmail"]),
        ({"inviterName": ""}, "REQUIRED", ["inviterName"]),
        ({"inviterName": "<b>"}, "INVALID", ["inviterName"]),
        ({"lifetime": 59}, "OUT_OF_RANGE", ["lifetime"]),
        ({"lifetime": 2_592_001}, "OUT_OF_RANGE", ["lifetime"]),
        ({"clientId": plain}, "NOT_ALLOWED", ["clientId"]),
        ({"clientId": "unknown"}, "NOT_FOUND", ["clientId"]),
        ({"roleIds": [acme]}, "NOT_FOUND", ["roleIds", "0"]),
    ]
    for changes, code, field in cases:
        refusal = api.refused("organizationInvitationCreate", good | changes)
        assert (refusal["code"], refusal["field"]) == (code, field), changes


def test_no_ticket_is_kept_or_shown_again(api: Api, tenant: Tenant, client_id: str) -> None:
    """The link is in the first answer alone; the log and the rows do not have its ticket."""
    acme = made(api)["organizationId"]
    url = api.do(
        "organizationInvitationCreate",
        "invitationUrl",
        {
            "organizationId": acme,
            "clientId": client_id,
            "inviterName": "Bob",
            "inviteeEmail": ANN,
        },
    )["invitationUrl"]
    (ticket,) = parse_qs(urlsplit(url).query)["invitation"]
    assert len(ticket) >= 43
    assert ticket not in repr(tenant.events())
    rows = rows_of(tenant, tables.organization_invitations)
    assert len(rows) == 1
    assert ticket not in repr(rows)


def test_giving_roles_takes_more_than_changing_members(
    limited: Callable[..., Api], api: Api, tenant: Tenant, client_id: str
) -> None:
    """Else who may invite could give itself every role."""
    acme = made(api)
    user = tenant.user()
    tenant.role("admin", tenant.url("graphql"), "read:users")
    role_id = api.data("{ roles(first: 1) { nodes { id } } }")["roles"]["nodes"][0]["id"]
    api.do("organizationMembersAdd", "__typename", {"id": acme["id"], "userIds": [user.id]})
    clerk = limited("create:organization_invitations", "update:organization_members")
    invitation: Json = {
        "organizationId": acme["organizationId"],
        "clientId": client_id,
        "inviterName": "Bob",
        "inviteeEmail": ANN,
    }
    create = (
        "mutation($input: OrganizationInvitationCreateInput!)"
        " { organizationInvitationCreate(input: $input) { errors { code } } }"
    )
    assert clerk.data(create, input=invitation)
    error = clerk.error(create, input=invitation | {"roleIds": [role_id]})
    assert (error["code"], error["requiredScopes"]) == ("FORBIDDEN", ["update:roles"])
    give = (
        "mutation($input: OrganizationMemberRolesAddInput!)"
        " { organizationMemberRolesAdd(input: $input) { errors { code } } }"
    )
    given = {"id": acme["id"], "userId": user.id, "roleIds": [role_id]}
    assert clerk.error(give, input=given)["code"] == "FORBIDDEN"


def test_what_a_client_grant_covers(api: Api, tenant: Tenant) -> None:
    tenant.api(API)
    machine = api.application()["clientId"]
    grant = api.do(
        "clientGrantCreate",
        "clientGrant { id organizationUsage allowAnyOrganization }",
        {"clientId": machine, "audience": API, "organizationUsage": "ALLOW"},
    )["clientGrant"]
    assert (grant["organizationUsage"], grant["allowAnyOrganization"]) == ("ALLOW", False)
    acme = made(api)
    covered = {"id": grant["id"], "organizationIds": [acme["organizationId"]]}
    shown = "clientGrant { organizations(first: 5) { totalCount nodes { name } } }"
    found = api.do("clientGrantOrganizationsAdd", shown, covered)["clientGrant"]
    assert found["organizations"] == {"totalCount": 1, "nodes": [{"name": "acme"}]}
    refusal = api.refused(
        "clientGrantOrganizationsAdd", covered | {"organizationIds": ["org_unknown"]}
    )
    assert (refusal["code"], refusal["field"]) == ("NOT_FOUND", ["organizationIds", "0"])
    many = covered | {"organizationIds": [f"org_{number}" for number in range(101)]}
    assert api.refused("clientGrantOrganizationsAdd", many)["code"] == "TOO_MANY"
    found = api.do("clientGrantOrganizationsRemove", shown, covered)["clientGrant"]
    assert found["organizations"]["totalCount"] == 0


def test_what_goes_with_an_organization(api: Api, tenant: Tenant) -> None:
    """And with a user, a role, a connection and a grant: nothing is left behind."""
    tenant.api(API)
    machine = api.application()["clientId"]
    user = tenant.user()
    user_id = api.data("{ users(first: 1) { nodes { id } } }")["users"]["nodes"][0]["id"]

    def furnish(name: str) -> Json:
        acme = made(api, name)
        tenant.connection(f"of-{name}")
        api.do("organizationConnectionSet", "__typename",
               {"id": acme["id"], "connection": f"of-{name}"})  # fmt: skip
        api.do("organizationMembersAdd", "__typename", {"id": acme["id"], "userIds": [user.id]})
        role = api.do("roleCreate", "role { id }", {"name": name})["role"]["id"]
        given = {"id": acme["id"], "userId": user.id, "roleIds": [role]}
        api.do("organizationMemberRolesAdd", "__typename", given)
        grant = api.do(
            "clientGrantCreate", "clientGrant { id }", {"clientId": machine, "audience": API}
        )["clientGrant"]["id"]
        api.do("clientGrantOrganizationsAdd", "__typename",
               {"id": grant, "organizationIds": [acme["organizationId"]]})  # fmt: skip
        return acme | {"role": role, "grant": grant}

    def left() -> set[str]:
        return {
            table.name
            for table in tables.metadata.sorted_tables
            if table.name.startswith("organization") and rows_of(tenant, table)
        }

    first = furnish("first")
    api.do("organizationDelete", "__typename", {"id": first["id"]})
    assert left() == set()
    api.do("clientGrantDelete", "__typename", {"id": first["grant"]})
    second = furnish("second")
    api.do("clientGrantDelete", "__typename", {"id": second["grant"]})
    api.do("roleDelete", "__typename", {"id": second["role"]})
    connections = api.data("{ connections(first: 9) { nodes { id name } } }")["connections"]
    (id_,) = (each["id"] for each in connections["nodes"] if each["name"] == "of-second")
    api.do("connectionDelete", "__typename", {"id": id_})
    assert left() == {"organizations", "organization_members"}
    api.do("userDelete", "__typename", {"id": user_id})
    assert left() == {"organizations"}


def test_a_constant_number_of_statements(api: Api, tenant: Tenant) -> None:
    for number in range(12):
        organization(tenant, f"acme-{number}", tenant.user(f"user{number}@example.com"))
    query = """query($first: Int!) {
      organizations(first: $first) { nodes {
        connections { connection { name } }
        members(first: 2) { totalCount nodes { user { email } roles { name } } }
        invitations(first: 2) { totalCount nodes { inviteeEmail } } } }
      users(first: $first) { nodes { organizations(first: 2) { totalCount nodes { name } } } } }"""
    api.data("{ viewer { id } }")
    counts = []
    for first in (1, 12):
        with statements(tenant) as seen:
            api.data(query, first=first)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 12
