"""Users in configuration documents: only those that somebody names, and never their passwords."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from tenantry.core.facts import DATABASE_CONNECTION, UserFacts
from tenantry.services import organization_members, organizations, users
from tenantry.services.commands import Patch
from tenantry.services.configuration import text
from tenantry.store import organizations as organization_rows
from tests.support.configuration import EXPORT, applied, changes, export, plan, planned, refusals
from tests.support.management import Api, Json, root_api, tenant_api
from tests.support.server import Server, Tenant, both_databases

API = "https://stock.example.com"
ANN = {"connection": DATABASE_CONNECTION, "email": "ann@example.com"}
KEY = f"{DATABASE_CONNECTION} ann@example.com"


def furnish(tenant: Tenant) -> UserFacts:
    """A tenant with a user who has something of all, among others."""
    tenant.api(API, "read:stock", "write:stock")
    role = tenant.role("Clerk", API, "read:stock")
    made = tenant.write(organizations.create, {"name": "acme"})
    ann = tenant.user(
        "Ann@Example.com",
        username="ann",
        name="Ann ##X##",
        user_metadata={"colour": "red", "deep": {"a": [1, None]}},
        app_metadata={"plan": "gold"},
    )
    tenant.user("bob@example.com")
    tenant.give_role(ann, role)
    tenant.permit(ann, API, "write:stock")
    tenant.write(organization_members.add, Patch(made.id), [ann.id])
    tenant.write(organization_members.give_roles, Patch(made.id), ann.id, [role.id])
    tenant.block(ann)
    return ann


def users_of(document: str) -> list[Json]:
    found: list[Json] = text.read(document)["users"]
    return found


@both_databases
def test_named_users_come_to_another_tenant(server: Server) -> None:
    """With all that they may do; nobody else comes, and no password or hash."""
    rich, empty = server.tenant(), server.tenant()
    ann = furnish(rich)
    api, other = root_api(rich), root_api(empty)
    document = export(api, users=["ann@example.com"])
    (user,) = users_of(document)
    assert (
        user
        | {
            "email": "Ann@Example.com",
            "username": "ann",
            "blocked": True,
            "userMetadata": {"colour": "red", "deep": {"a": [1, None]}},
            "appMetadata": {"plan": "gold"},
            "roles": ["Clerk"],
            "permissions": [{"audience": API, "scopes": ["write:stock"]}],
            "organizations": [{"organization": "acme", "roles": ["Clerk"]}],
        }
        == user
    )
    assert "argon2" not in document
    assert "bob@example.com" not in document
    assert ann.id not in document
    assert changes(api, document) == []
    told = api.data("{ configurationSchema { jsonSchema } }")["configurationSchema"]
    jsonschema.validate(text.read(document), told["jsonSchema"])
    made = applied(other, document)["made"]
    assert [(one["key"], one["secret"]) for one in made if one["noun"] == "users"] == [(KEY, None)]
    assert changes(other, document) == []
    assert users_of(export(other, users=["ann"])) == [user]
    shown = other.data("{ users(first: 9) { nodes { email passwordChangedAt } } }")
    assert shown["users"]["nodes"] == [{"email": "Ann@Example.com", "passwordChangedAt": None}]


def test_without_names_no_user_is_written(api: Api, tenant: Tenant) -> None:
    furnish(tenant)
    assert "users" not in text.read(export(api))
    only = text.read(export(api, nouns=["users"], users=["ann@example.com"]))
    assert set(only) == {"version", "users"}


def test_by_which_names_a_user_is_found(api: Api, tenant: Tenant) -> None:
    """Id of either kind, email, username; in every connection."""
    ann = furnish(tenant)
    tenant.connection("partners")
    tenant.user("ann@example.com", connection="partners")
    (global_id,) = (
        one["id"]
        for one in api.data("{ users(first: 9) { nodes { id userId } } }")["users"]["nodes"]
        if one["userId"] == ann.id
    )
    for name in (ann.id, global_id, "ANN"):
        (user,) = users_of(export(api, nouns=[], users=[name]))
        assert user["email"] == "Ann@Example.com"
    both = users_of(export(api, nouns=[], users=["ann@example.com"]))
    assert [one["connection"] for one in both] == [DATABASE_CONNECTION, "partners"]
    twice = users_of(export(api, nouns=[], users=[ann.id, "ann"]))
    assert len(twice) == 1


@pytest.mark.parametrize(
    "arguments",
    [{"users": ["nobody"]}, {"nouns": ["users"]}, {"users": ["ann"] * 1_001}],
)
def test_users_that_cannot_be_written(api: Api, tenant: Tenant, arguments: Json) -> None:
    furnish(tenant)
    assert api.error(EXPORT, **arguments)["code"] == "BAD_REQUEST"


def test_a_change_of_a_user_is_told_and_made_field_by_field(api: Api, tenant: Tenant) -> None:
    """Lists and metadata are replaced as a whole; what is left out stays."""
    furnish(tenant)
    tenant.role("Boss", API, "write:stock")
    tenant.write(organizations.create, {"name": "zenith"})
    document = {
        "users": [
            ANN
            | {
                "name": "Ann",
                "blocked": False,
                "userMetadata": {"colour": "blue"},
                "roles": ["Boss"],
                "permissions": [{"audience": API, "scopes": ["read:stock"]}],
                "organizations": [{"organization": "zenith", "roles": ["Boss", "Clerk"]}],
            }
        ]
    }
    (change,) = plan(api, document)["changes"]
    assert (change["action"], change["key"]) == ("UPDATE", KEY)
    told = {one["field"]: (one["before"], one["after"]) for one in change["fields"]}
    assert set(told) == set(document["users"][0]) - {"connection"}
    assert told["roles"] == (["Clerk"], ["Boss"])
    applied(api, document)
    assert changes(api, document) == []
    (user,) = users_of(export(api, nouns=[], users=["ann"]))
    assert user["userMetadata"] == {"colour": "blue"}
    assert user["appMetadata"] == {"plan": "gold"}
    assert user["organizations"] == [{"organization": "zenith", "roles": ["Boss", "Clerk"]}]
    cleared: Json = {"users": [ANN | {"roles": None, "organizations": [], "username": None}]}
    applied(api, cleared)
    (user,) = users_of(export(api, nouns=[], users=["ann@example.com"]))
    assert (user["roles"], user["organizations"], user["username"]) == ([], [], None)


def test_users_are_deleted_only_by_name(api: Api, tenant: Tenant) -> None:
    furnish(tenant)
    document = {"users": [ANN | {"email": "Ann@Example.com"}]}
    assert plan(api, document)["kept"] == []
    bob = {"noun": "users", "key": f"{DATABASE_CONNECTION} bob@example.com"}
    assert changes(api, document, deletes=[bob]) == [("DELETE", "users", bob["key"])]
    applied(api, document, deletes=[bob])
    assert users_of(export(api, nouns=[], users=["ann"]))
    assert api.error(EXPORT, users=["bob@example.com"])["code"] == "BAD_REQUEST"
    assert changes(api, document, deletes=[bob]) == []


@pytest.mark.parametrize(
    "user, place, code",
    [
        ({"connection": DATABASE_CONNECTION}, "users.0.email", "REQUIRED"),
        ({"email": "x@example.com"}, "users.0.connection", "REQUIRED"),
        (ANN | {"email": "no address"}, "users.0.email", "INVALID"),
        (ANN | {"passwordHash": "x"}, "users.0.passwordHash", "INVALID"),
        (ANN | {"name": "a\u202eb"}, "users.0.name", "INVALID"),
        (ANN | {"roles": [f"role {n}" for n in range(51)]}, "users.0.roles", "TOO_MANY"),
        (
            ANN | {"organizations": [{"organization": "acme"}] * 2},
            "users.0.organizations.1.organization",
            "INVALID",
        ),
    ],
)
def test_users_that_a_document_cannot_have(
    api: Api, tenant: Tenant, user: Json, place: str, code: str
) -> None:
    furnish(tenant)
    assert refusals(planned(api, {"users": [user]})) == [(f"document.{place}", code)]


@pytest.mark.parametrize(
    "more, place",
    [
        ({"roles": ["Clerk", "Nobody"]}, "roles"),
        ({"organizations": [{"organization": "nowhere"}]}, "organizations"),
        ({"organizations": [{"organization": "acme", "roles": ["Nobody"]}]}, "organizations"),
        ({"permissions": [{"audience": API, "scopes": ["fly"]}]}, "permissions"),
        ({"connection": "nowhere"}, "connection"),
    ],
)
def test_nothing_is_done_where_something_is_not_there(
    api: Api, tenant: Tenant, more: Json, place: str
) -> None:
    furnish(tenant)
    new: Json = {"connection": DATABASE_CONNECTION, "email": "new@example.com"} | more
    document = {"users": [{**ANN, "name": "Other"}, new]}
    given = {"document": text.write_json(document), "planHash": plan(api, document)["hash"]}
    refusal = api.refused("configurationApply", given)
    assert refusal["field"] == ["document", "users", "1", place]
    (user,) = users_of(export(api, nouns=[], users=["ann"]))
    assert user["name"] == "Ann ##HASHES##X##HASHES##"


def test_a_user_who_moved_since_the_plan(api: Api, tenant: Tenant) -> None:
    ann = furnish(tenant)
    document = {"users": [ANN | {"name": "Other"}]}
    given = {"document": text.write_json(document), "planHash": plan(api, document)["hash"]}
    tenant.write(users.update, Patch(ann.id, {"nickname": "A"}))
    assert api.refused("configurationApply", given)["code"] == "PLAN_STALE"


def test_the_scopes_that_users_in_a_document_need(tenant: Tenant) -> None:
    """Reading them, and giving roles or memberships, as the single mutations do."""
    furnish(tenant)
    reads = ("read:users", "read:roles", "read:organizations", "read:organization_members")
    weak = tenant_api(tenant, *reads)
    arguments: dict[str, Any] = {"nouns": [], "users": ["ann"]}
    assert users_of(weak.data(EXPORT, **arguments)["configurationExport"]["document"])
    for scope in reads[1:]:
        less = tenant_api(tenant, *(one for one in reads if one != scope))
        assert less.error(EXPORT, **arguments)["code"] == "FORBIDDEN"
    document = {"users": [ANN | {"roles": [], "organizations": [], "name": "A"}]}
    assert plan(weak, document)["requiredScopes"] == [
        "create:organization_members",
        "delete:organization_members",
        "update:organization_members",
        "update:roles",
        "update:users",
    ]


def test_only_named_users_are_loaded(api: Api, tenant: Tenant) -> None:
    """A tenant may have a million: the rows that a plan reads are those of the document."""
    furnish(tenant)
    found = tenant.read(organization_rows.find_by_name, "acme")
    assert found is not None
    document = {"users": [ANN]}
    hash_ = plan(api, document)["hash"]
    tenant.user("more@example.com")
    assert plan(api, document)["hash"] == hash_
