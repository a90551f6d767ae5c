"""Roles, permissions, metadata and mappings as they are administered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tenantry.core.context import SYSTEM, Caller
from tenantry.services import tenants
from tenantry.store import tables
from tenantry.store.unit_of_work import INSTALLATION
from tests.support.management import Api, Json
from tests.support.server import Server, Tenant

API = "https://api.example.com"
PERMISSIONS = "permissions { audience scope isDirect roles { name } }"
USER = f"user {{ userId roles {{ name }} {PERMISSIONS} }}"


@pytest.fixture
def user(api: Api) -> str:
    new = {"connection": "Username-Password-Authentication", "username": "ann"}
    found: str = api.do("userCreate", "user { id }", new)["user"]["id"]
    return found


def role(api: Api, name: str) -> str:
    found: str = api.do("roleCreate", "role { id }", {"name": name})["role"]["id"]
    return found


def test_permissions_with_what_gives_them(api: Api, user: str) -> None:
    api.tenant.api(API, "read:x", "write:x")
    reader, writer = role(api, "reader"), role(api, "writer")
    given: Json = {"audience": API, "scopes": ["read:x"]}
    for id_, scopes in ((reader, ["read:x"]), (writer, ["write:x", "read:x", "read:x"])):
        api.do("rolePermissionsAdd", "__typename", {"id": id_} | given | {"scopes": scopes})
    found = api.do("userRolesAdd", USER, {"id": user, "roleIds": [writer, reader, reader]})
    assert [held["name"] for held in found["user"]["roles"]] == ["reader", "writer"]
    found = api.do("userPermissionsAdd", USER, {"id": user} | given)
    both = {"audience": API, "isDirect": True, "roles": [{"name": "reader"}, {"name": "writer"}]}
    by_role = {"audience": API, "isDirect": False, "roles": [{"name": "writer"}]}
    expected = [both | {"scope": "read:x"}, by_role | {"scope": "write:x"}]
    assert found["user"]["permissions"] == expected
    held = api.data(
        "query($id: ID!) { role(id: $id) { name permissions { audience scope }"
        " users(first: 5) { totalCount nodes { username } } } }",
        id=writer,
    )["role"]
    assert held["users"] == {"totalCount": 1, "nodes": [{"username": "ann"}]}
    assert [each["scope"] for each in held["permissions"]] == ["read:x", "write:x"]
    api.do("userPermissionsRemove", "__typename", {"id": user} | given)
    api.do("roleDelete", "__typename", {"id": reader})
    found = api.do("userRolesRemove", USER, {"id": user, "roleIds": [writer]})["user"]
    assert (found["roles"], found["permissions"]) == ([], [])


def test_what_goes_with_an_api_and_with_a_user(api: Api, user: str) -> None:
    """A new API of the same name begins without anybody's permissions."""
    made = api.tenant.api(API, "read:x")
    id_ = role(api, "reader")
    given: Json = {"audience": API, "scopes": ["read:x"]}
    api.do("rolePermissionsAdd", "__typename", {"id": id_} | given)
    api.do("userPermissionsAdd", "__typename", {"id": user} | given)
    api.do("userRolesAdd", "__typename", {"id": user, "roleIds": [id_]})
    found = api.data(f'{{ resourceServer(identifier: "{API}") {{ id }} }}')["resourceServer"]
    api.do("resourceServerDelete", "__typename", {"id": found["id"]})
    assert made.identifier == API
    api.tenant.api(API, "read:x")
    shown = api.data(f"query($id: ID!) {{ node(id: $id) {{ ... on User {{ {PERMISSIONS} }} }} }}",
                     id=user)["node"]  # fmt: skip
    assert shown == {"permissions": []}
    api.do("userDelete", "__typename", {"id": user})
    users = api.data("query($id: ID!) { role(id: $id) { users(first: 1) { totalCount } } }", id=id_)
    assert users["role"]["users"]["totalCount"] == 0


@pytest.mark.parametrize(
    "mutation, changes, code, field",
    [
        ("rolePermissionsAdd", {"scopes": ["read:users", "no:such"]}, "INVALID", ["scopes", "1"]),
        ("rolePermissionsAdd", {"audience": "https://no.example.com"}, "NOT_FOUND", ["audience"]),
        ("rolePermissionsAdd", {"audience": "*"}, "NOT_FOUND", ["audience"]),
        ("rolePermissionsAdd", {"scopes": ["a b"]}, "INVALID", ["scopes", "0"]),
        ("rolePermissionsAdd", {"id": "x"}, "NOT_FOUND", ["id"]),
        ("rolePermissionsRemove", {"scopes": ["\u0001"]}, "INVALID", ["scopes", "0"]),
        ("rolePermissionsRemove", {"scopes": ["x"] * 3 + [str(n) for n in range(1001)]},
         "TOO_MANY", ["scopes"]),
        ("rolePermissionsAdd", {"expectedRevision": 9}, "CONFLICT", ["expectedRevision"]),
    ],
)  # fmt: skip
def test_refusals(api: Api, mutation: str, changes: Json, code: str, field: list[str]) -> None:
    given = {"id": role(api, "one"), "audience": api.url, "scopes": ["read:users"]}
    refusal = api.refused(mutation, given | changes)
    assert (refusal["code"], refusal["field"]) == (code, field)


def test_names_and_numbers_of_roles(api: Api, user: str) -> None:
    first = role(api, "same")
    assert api.refused("roleCreate", {"name": "same"})["code"] == "ALREADY_EXISTS"
    other = role(api, "other")
    assert api.refused("roleUpdate", {"id": other, "name": "same"})["code"] == "ALREADY_EXISTS"
    assert api.refused("roleCreate", {"name": "<b>"})["code"] == "INVALID"
    unknown = api.refused("userRolesAdd", {"id": user, "roleIds": [first, user]})
    assert (unknown["code"], unknown["field"]) == ("NOT_FOUND", ["roleIds", "1"])
    many = [role(api, f"role {number}") for number in range(49)]
    api.do("userRolesAdd", "__typename", {"id": user, "roleIds": [first, *many]})
    refusal = api.refused("userRolesAdd", {"id": user, "roleIds": [other]})
    assert (refusal["code"], refusal["field"]) == ("TOO_MANY", ["roleIds"])
    listed = api.data(
        '{ roles(first: 100, orderBy: NAME_DESC, filter: {nameContains: "AME"})'
        " { totalCount nodes { name } } }"
    )["roles"]
    assert listed == {"totalCount": 1, "nodes": [{"name": "same"}]}


def test_assigning_takes_more_than_changing_users(
    limited: Callable[..., Api], api: Api, user: str
) -> None:
    """Who may change users but not roles could else make himself an administrator."""
    id_ = role(api, "one")
    given = {"id": user, "audience": api.url, "scopes": ["read:users"]}
    inputs: dict[str, Json] = {
        "userRolesAdd": {"id": user, "roleIds": [id_]},
        "userRolesRemove": {"id": user, "roleIds": [id_]},
        "userPermissionsAdd": given,
        "userPermissionsRemove": given,
    }
    for scope in ("update:users", "update:roles"):
        alone = limited(scope)
        for mutation, input in inputs.items():
            name = f"{mutation[0].upper()}{mutation[1:]}"
            error = alone.error(
                f"mutation($input: {name}Input!) {{ {mutation}(input: $input) {{ __typename }} }}",
                input=input,
            )
            assert error["code"] == "FORBIDDEN"
            assert error["requiredScopes"] == ["update:roles", "update:users"]
    both = limited("update:users", "update:roles")
    for mutation, input in inputs.items():
        both.do(mutation, "__typename", input)


# --- APIs ----------------------------------------------------------------------------------


def changed_api(api: Api, id_: str, **values: Any) -> Json:
    selection = "resourceServer { tokenDialect enforcePolicies tokenLifetime tokenLifetimeForWeb }"
    found: Json = api.do("resourceServerUpdate", selection, {"id": id_} | values)["resourceServer"]
    return found


def test_the_permissions_switch_is_there_while_policies_are_enforced(api: Api) -> None:
    new = {"name": "API", "identifier": API}
    refusal = api.refused("resourceServerCreate", new | {"tokenDialect": "ACCESS_TOKEN_AUTHZ"})
    assert (refusal["code"], refusal["field"]) == ("NOT_ALLOWED", ["tokenDialect"])
    made = api.do("resourceServerCreate", "resourceServer { id }", new)["resourceServer"]["id"]
    for twin in ("ACCESS_TOKEN", "RFC9068_PROFILE"):
        with_permissions = {"enforcePolicies": True, "tokenDialect": f"{twin}_AUTHZ"}
        assert changed_api(api, made, **with_permissions)["tokenDialect"] == f"{twin}_AUTHZ"
        found = changed_api(api, made, enforcePolicies=False)
        assert (found["tokenDialect"], found["enforcePolicies"]) == (twin, False)
        for values in ({"tokenDialect": f"{twin}_AUTHZ"}, with_permissions | {
            "enforcePolicies": False
        }):  # fmt: skip
            refusal = api.refused("resourceServerUpdate", {"id": made} | values)
            assert (refusal["code"], refusal["field"]) == ("NOT_ALLOWED", ["tokenDialect"])


def test_lifetimes_agree(api: Api) -> None:
    made = api.do(
        "resourceServerCreate",
        "resourceServer { id tokenLifetimeForWeb }",
        {"name": "API", "identifier": API, "tokenLifetime": 600},
    )["resourceServer"]
    assert made["tokenLifetimeForWeb"] == 600
    refusal = api.refused("resourceServerUpdate", {"id": made["id"], "tokenLifetimeForWeb": 601})
    assert (refusal["code"], refusal["field"]) == ("OUT_OF_RANGE", ["tokenLifetimeForWeb"])
    assert changed_api(api, made["id"], tokenLifetimeForWeb=300)["tokenLifetimeForWeb"] == 300
    assert changed_api(api, made["id"], tokenLifetime=200)["tokenLifetimeForWeb"] == 200
    found = changed_api(api, made["id"], tokenLifetime=100_000, tokenLifetimeForWeb=None)
    assert found["tokenLifetimeForWeb"] == 86_400


def test_a_database_of_an_earlier_release_learns_the_scopes(server: Server, tenant: Tenant) -> None:
    """What this release defines is there at the next start, at the root and elsewhere."""
    with server.runtime.store.database.writing() as connection:
        old = [{"value": "read:users", "description": "Read users"}]
        where = tables.resource_servers.c.is_system.is_(True)
        connection.execute(tables.resource_servers.update().where(where).values(scopes=old))
    server.runtime.store.write_now(INSTALLATION, Caller(SYSTEM), tenants.renew_management_apis)
    for one in (tenant, server.root):
        from tests.support.management import root_api

        assert root_api(one, "read:roles").data("{ roles(first: 1) { totalCount } }")


# --- metadata ------------------------------------------------------------------------------


def test_metadata_is_merged_and_null_removes(api: Api, user: str) -> None:
    def sent(**values: Any) -> Json:
        selection = "user { userMetadata appMetadata }"
        found: Json = api.do("userUpdate", selection, {"id": user} | values)["user"]
        return found

    first = {"colour": "red", "nested": {"a": [1, None, {"b": 2.5}]}}
    assert sent(userMetadata=first) == {"userMetadata": first, "appMetadata": {}}
    found = sent(userMetadata={"colour": None, "size": 3}, appMetadata={"plan": "big"})
    assert found["userMetadata"] == {"nested": first["nested"], "size": 3}
    assert found["appMetadata"] == {"plan": "big"}
    assert sent(appMetadata=None)["appMetadata"] == {}
    assert "plan" not in repr(api.tenant.events("user.updated"))


@pytest.mark.parametrize(
    "value, code",
    [
        ("text", "INVALID"),
        ([], "INVALID"),
        ({"x": "y" * 16_400}, "TOO_LONG"),
        ({"x": [[[[[[[[[[1]]]]]]]]]]}, "INVALID"),
    ],
)
def test_metadata_has_limits(api: Api, user: str, value: Any, code: str) -> None:
    for name in ("userMetadata", "appMetadata"):
        refusal = api.refused("userUpdate", {"id": user, name: value})
        assert refusal["code"] == code
        assert refusal["field"][0] == name


def test_metadata_does_not_grow_by_merging(api: Api, user: str) -> None:
    for number in range(3):
        api.do("userUpdate", "__typename", {"id": user, "userMetadata": {f"k{number}": "x" * 5000}})
    refusal = api.refused("userUpdate", {"id": user, "userMetadata": {"more": "x" * 5000}})
    assert (refusal["code"], refusal["field"]) == ("TOO_LONG", ["userMetadata"])


def test_application_metadata(api: Api) -> None:
    """At most ten pairs of at most 255 characters; null removes a key."""
    made = api.application(applicationMetadata={str(n): "x" * 255 for n in range(10)})["id"]

    def sent(value: Any) -> Json:
        selection = "application { applicationMetadata }"
        change = {"id": made, "applicationMetadata": value}
        found: Json = api.do("applicationUpdate", selection, change)["application"]
        metadata: Json = found["applicationMetadata"]
        return metadata

    refusal = api.refused("applicationUpdate", {"id": made, "applicationMetadata": {"k": "v"}})
    assert (refusal["code"], refusal["field"]) == ("TOO_MANY", ["applicationMetadata"])
    assert sent({"0": None, "k": "v"}).keys() == {*(str(n) for n in range(1, 10)), "k"}
    assert sent(None) == {}
    assert sent({"k": "v"}) == {"k": "v"}
    for value, code in (
        ({"k": "x" * 256}, "TOO_LONG"),
        ({"k" * 256: "x"}, "TOO_LONG"),
        ({"": "x"}, "REQUIRED"),
        ({"k": 1}, "INVALID"),
        ({"k": "a\u0007"}, "INVALID"),
        ("x", "INVALID"),
    ):
        change = {"id": made, "applicationMetadata": value}
        assert api.refused("applicationUpdate", change)["code"] == code


# --- mappings ------------------------------------------------------------------------------

MAPPING = {"claim": "colour", "source": "USER_METADATA", "tokens": ["ID_TOKEN"]}


@pytest.mark.parametrize(
    "changes, code, field",
    [
        ({"claim": "email"}, "INVALID", ["claim"]),
        ({"claim": "sub"}, "INVALID", ["claim"]),
        ({"claim": "https://"}, "INVALID", ["claim"]),
        ({"claim": "with space"}, "INVALID", ["claim"]),
        ({"claim": "_x"}, "INVALID", ["claim"]),
        ({"claim": "x" * 101}, "INVALID", ["claim"]),
        ({"tokens": []}, "REQUIRED", ["tokens"]),
        ({"path": "a..b"}, "INVALID", ["path"]),
        ({"path": ".".join("abcdefghijk")}, "INVALID", ["path"]),
        ({"path": "a", "source": "ROLES"}, "NOT_ALLOWED", ["path"]),
    ],
)
def test_mappings_that_are_refused(api: Api, changes: Json, code: str, field: list[str]) -> None:
    made = api.application()["id"]
    good = MAPPING | {"claim": "good"}
    mappings = {"claimMappings": [good, MAPPING | changes]}
    for refusal in (
        api.refused("applicationUpdate", {"id": made} | mappings),
        api.refused("tenantUpdate", mappings),
    ):
        assert (refusal["code"], refusal["field"]) == (code, ["claimMappings", "1", *field])


def test_mappings_are_replaced_as_a_whole(api: Api) -> None:
    made = api.application(claimMappings=[MAPPING | {"path": "a.b"}])["id"]
    selection = "application { claimMappings { claim source path tokens } }"
    both = [MAPPING, MAPPING | {"tokens": ["USERINFO", "USERINFO", "ACCESS_TOKEN"]}]
    change = {"id": made, "claimMappings": both}
    found = api.do("applicationUpdate", selection, change)["application"]["claimMappings"]
    assert found == [
        MAPPING | {"path": None},
        MAPPING | {"path": None, "tokens": ["USERINFO", "ACCESS_TOKEN"]},
    ]
    twice = {"id": made, "claimMappings": [MAPPING, MAPPING]}
    assert api.refused("applicationUpdate", twice)["field"] == ["claimMappings", "1", "claim"]
    many = {"claimMappings": [MAPPING | {"claim": f"c{n}"} for n in range(21)]}
    assert api.refused("tenantUpdate", many)["code"] == "TOO_MANY"
    selection = "tenant { claimMappings { claim } }"
    own = {"claimMappings": [MAPPING]}
    assert api.do("tenantUpdate", selection, own)["tenant"]["claimMappings"] == [
        {"claim": "colour"}
    ]
    assert api.do("tenantUpdate", selection, {"claimMappings": None})["tenant"] == {
        "claimMappings": []
    }
