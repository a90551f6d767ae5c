"""Many objects by their ids: one answer, in the order of the ids, a statement for each type."""

from __future__ import annotations

from collections.abc import Callable

from tenantry.management.nodes import NODE_TYPES
from tenantry.store import objects
from tests.management.test_statements import statements
from tests.support.management import Api, Json, root_api
from tests.support.server import Server, Tenant

QUERY = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
NOTHING = ["", "x", "VXNlcjp4Onk", "\u202e", "VXNlcjo6"]


def furnish(api: Api, tenant: Tenant) -> list[str]:
    """One object of many types."""
    application = api.application()
    identifier = "https://things.example.com"
    values = {"name": "API", "identifier": identifier}
    made = [
        application["id"],
        api.do("resourceServerCreate", "resourceServer { id }", values)["resourceServer"]["id"],
        api.do(
            "clientGrantCreate",
            "clientGrant { id }",
            {"clientId": application["clientId"], "audience": identifier, "scopes": []},
        )["clientGrant"]["id"],
        api.do("connectionCreate", "connection { id }", {"name": "more"})["connection"]["id"],
        api.do("roleCreate", "role { id }", {"name": "role"})["role"]["id"],
    ]
    tenant.user()
    rest = api.data(
        "{ tenant { id } signingKeys { id } users(first: 1) { nodes { id } }"
        " logEvents(first: 1) { nodes { id } } }"
    )
    made += [rest["tenant"]["id"], rest["signingKeys"][0]["id"]]
    made += [rest["users"]["nodes"][0]["id"], rest["logEvents"]["nodes"][0]["id"]]
    return made


def nodes(api: Api, ids: list[str]) -> list[Json | None]:
    found: list[Json | None] = api.data(QUERY, ids=ids)["nodes"]
    return found


def test_objects_of_all_types_in_the_order_that_was_asked(api: Api, tenant: Tenant) -> None:
    ids = furnish(api, tenant)
    asked = [*ids, *NOTHING, *ids[::-1]]
    found = nodes(api, asked)
    expected = [*ids, *(None for _ in NOTHING), *ids[::-1]]
    assert [node and node["id"] for node in found] == expected
    assert len({node["__typename"] for node in found if node}) == len(ids)
    for id, node in zip(ids, found, strict=False):
        assert api.data("query($i: ID!) { node(id: $i) { __typename id } }", i=id)["node"] == node
    assert nodes(api, []) == []
    api.do("applicationDelete", "__typename", {"id": ids[0]})
    assert nodes(api, ids[:2])[0] is None


def test_ids_of_another_tenant_name_nothing(api: Api, tenant: Tenant, server: Server) -> None:
    ids = furnish(api, tenant)
    other = root_api(server.tenant())
    assert nodes(other, ids) == [None] * len(ids)


def test_each_object_needs_the_scope_of_its_type(
    api: Api, tenant: Tenant, limited: Callable[..., Api]
) -> None:
    ids = furnish(api, tenant)
    answer = limited("read:applications").answer(QUERY, ids=ids)
    assert answer["data"]["nodes"] == [
        {"__typename": "Application", "id": ids[0]},
        *(None for _ in ids[1:]),
    ]
    assert [error["path"] for error in answer["errors"]] == [
        ["nodes", place] for place in range(1, len(ids))
    ]
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"FORBIDDEN"}
    assert answer["errors"][0]["extensions"]["requiredScopes"] == ["read:resource_servers"]


def test_at_most_a_hundred(api: Api) -> None:
    assert nodes(api, ["x"] * 100) == [None] * 100
    assert api.error(QUERY, ids=["x"] * 101)["code"] == "BAD_REQUEST"


def test_a_statement_for_each_type(api: Api, tenant: Tenant) -> None:
    assert NODE_TYPES.keys() >= objects.TYPES
    ids = [tenant.user(f"user{number}@example.com").id for number in range(20)]
    users = api.data("{ users(first: 100) { nodes { id } } }")["users"]["nodes"]
    assert len(users) == len(ids)
    roles = [
        api.do("roleCreate", "role { id }", {"name": f"r{number}"})["role"]["id"]
        for number in range(10)
    ]
    with statements(tenant) as seen:
        found = nodes(api, [*(user["id"] for user in users), *roles])
    assert all(found)
    assert len(seen) == 2


def test_it_costs_by_the_number_of_ids(api: Api) -> None:
    def cost(query: str, **variables: object) -> int:
        number: int = api.answer(query, **variables)["extensions"]["cost"]["requested"]
        return number

    assert cost(QUERY, ids=["x"] * 7) == 1 + 7
    assert cost("query($i: ID!) { nodes(ids: [$i, $i]) { id } }", i="x") == 1 + 2
    deep = "... on Role { users(first: 5) { nodes { id } } }"
    assert cost(f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ {deep} }} }}", ids=["x"] * 3) == (
        1 + 3 * (1 + 1 + 5)
    )
