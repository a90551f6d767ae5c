"""Every guarded field with a token that lacks its scopes, and with one that has nothing else.

All cases are read from the schema, so that a new field is among them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, cast

import pytest
from anyio.from_thread import BlockingPortal
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
)

from tenantry.management.nodes import NODE_TYPES
from tenantry.management.permissions import ScopesDirective
from tenantry.management.schema import build_schema
from tenantry.services.management_api import MANAGEMENT_SCOPES, ROOT_SCOPES
from tenantry.services.tenants import ROOT_NAME
from tests.management.test_ids import everything
from tests.support.databases import Databases
from tests.support.listening import listening_server
from tests.support.management import Api, Json, root_api, tenant_api, value_of
from tests.support.server import Server, Tenant
from tests.support.streaming import events

SCHEMA = build_schema()._schema
ROOTS = {
    "query": cast("GraphQLObjectType", SCHEMA.query_type),
    "mutation": cast("GraphQLObjectType", SCHEMA.mutation_type),
}
# Of objects that are no nodes: the node that has one, the fields that lead to it from there, and
# the scopes that these need.
WAYS: dict[str, tuple[str, tuple[str, ...], list[str]]] = {
    "OrganizationMember": (
        "Organization",
        ("members(first: 1)", "nodes"),
        ["read:organization_members"],
    )
}
# What these need besides depends on the input; each refusal names it.
BY_INPUT = {"configurationExport", "configurationPlan", "configurationApply", "jobCreate"}


def alternatives(field: Any) -> list[list[str]]:
    definition = field.extensions.get("strawberry-definition")
    for directive in definition.directives if definition else ():
        if isinstance(directive, ScopesDirective):
            return directive.scopes
    return []


def guarded(type_: GraphQLObjectType) -> dict[str, GraphQLField]:
    return {name: field for name, field in type_.fields.items() if alternatives(field)}


def asked(name: str, field: GraphQLField) -> tuple[str, str, Json]:
    """How a field is asked for: its variables, the selection, their values."""
    values = {
        argument: value_of(definition.type)
        for argument, definition in field.args.items()
        if isinstance(definition.type, GraphQLNonNull) or argument == "first"
    }
    declared = ", ".join(f"${n}: {field.args[n].type}" for n in values)
    passed = ", ".join(f"{n}: ${n}" for n in values)
    below = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
    return declared, f"{name}{f'({passed})' if values else ''}{below}", values


def document(kind: str, declared: str, selection: str) -> str:
    return f"{kind}{f'({declared})' if declared else ''} {{ {selection} __typename }}"


def is_roots(scopes: list[list[str]]) -> bool:
    return any(scope in ROOT_SCOPES for inner in scopes for scope in inner)


def api_with(tenant: Tenant, scopes: list[str]) -> Api:
    """With these scopes alone; those of the root are an operator's."""
    return root_api(tenant, *scopes) if tenant.name == ROOT_NAME else tenant_api(tenant, *scopes)


def codes(answer: Json, path: list[str]) -> list[str]:
    """The codes of the errors at a path or below it."""
    return [
        error["extensions"]["code"]
        for error in answer.get("errors", ())
        if error["path"][: len(path)] == path
    ]


def forbidden(answer: Json) -> dict[tuple[str, ...], list[str]]:
    return {
        tuple(error["path"]): error["extensions"]["requiredScopes"]
        for error in answer.get("errors", ())
        if error["extensions"]["code"] == "FORBIDDEN"
    }


# --- nothing is left out ----------------------------------------------------------------------

UNGUARDED = {"viewer", "node", "nodes"}  # `node` and `nodes` need the scope of what they find.
# What finds another noun by a scope of its own.
FOUND_BY = {("Query", "tenants"): "read:tenants", ("Query", "job"): None, ("Query", "jobs"): None}


def is_node(type_: Any) -> bool:
    return isinstance(type_, GraphQLObjectType) and any(i.name == "Node" for i in type_.interfaces)


def reached(field: GraphQLField, seen: frozenset[str] = frozenset()) -> set[str]:
    """The nouns that are read through a field, until another guard stands in the way."""
    type_ = get_named_type(field.type)
    if is_node(type_):
        return {type_.name}
    if not isinstance(type_, GraphQLObjectType) or type_.name in seen:
        return set()
    return {
        noun
        for inner in type_.fields.values()
        if not alternatives(inner)
        for noun in reached(inner, seen | {type_.name})
    }


def own_types() -> list[GraphQLObjectType]:
    return [
        type_
        for type_ in SCHEMA.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
    ]


def test_every_root_field_has_a_guard() -> None:
    roots = [*ROOTS.values(), cast("GraphQLObjectType", SCHEMA.subscription_type)]
    without = {
        name for root in roots for name in root.fields if not alternatives(root.fields[name])
    }
    assert without == UNGUARDED


def test_no_field_leads_to_another_noun_without_its_scope() -> None:
    """Whichever way from a root field or an object: each noun behind a field is in its guard."""
    begins = {"Query", "Subscription", "Viewer", *WAYS}
    for type_ in own_types():
        if type_.name not in begins and not is_node(type_):
            continue
        for name, field in type_.fields.items():
            for noun in reached(field) - ({type_.name} if not alternatives(field) else set()):
                scope = FOUND_BY.get((type_.name, name), OF_NODES.get(noun))
                scope = scope or (NODE_TYPES[noun].scope if noun in NODE_TYPES else None)
                guard = alternatives(field)
                assert guard, f"{type_.name}.{name} leads to {noun}"
                assert scope is None or all(scope in inner for inner in guard), (type_.name, name)


def test_a_mutation_answers_with_what_it_changed() -> None:
    """Who may change a noun sees it in the payload, and nothing of another."""
    for name, field in ROOTS["mutation"].fields.items():
        others = {
            noun for noun in reached(field) if not name.startswith(noun[0].lower() + noun[1:])
        }
        assert others == (
            {"Application", "ClientGrant"} if name == "testApplicationCreate" else set()
        )


def test_what_is_looked_up_has_a_guard() -> None:
    """A field that is more than a value that the object brought along."""
    without = {
        f"{type_.name}.{name}"
        for type_ in own_types()
        if not type_.name.endswith(("Connection", "Mutation"))
        for name, field in type_.fields.items()
        if field.extensions["strawberry-definition"].base_resolver and not alternatives(field)
    }
    assert without == {f"Query.{name}" for name in UNGUARDED} | {"SigningKey.certificate"}


# --- root fields ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind, name",
    [pytest.param(kind, name, id=name) for kind, root in ROOTS.items() for name in guarded(root)],
)
def test_a_root_field_needs_its_scopes_and_no_others(server: Server, kind: str, name: str) -> None:
    field = ROOTS[kind].fields[name]
    needed = alternatives(field)
    tenant = server.root if is_roots(needed) else server.tenant()
    declared, selection, values = asked(name, field)
    query = document(kind, declared, selection)
    every = MANAGEMENT_SCOPES + (ROOT_SCOPES if is_roots(needed) else ())
    named = {scope for inner in needed for scope in inner}
    lacking = api_with(tenant, [scope for scope in every if scope not in named])
    answer = lacking.answer(query, **values)
    assert answer["data"] == {name: None, "__typename": kind.title()}
    (error,) = answer["errors"]
    assert error["path"] == [name]
    assert error["extensions"] == {"code": "FORBIDDEN", "requiredScopes": needed[0]}
    for inner in needed:
        answer = api_with(tenant, inner).answer(query, **values)
        held = list(inner)
        while name in BY_INPUT and (further := forbidden(answer).get((name,))):
            assert set(further) - set(held)
            held = list({*held, *further})
            answer = api_with(tenant, held).answer(query, **values)
        assert not set(codes(answer, [name])) & {"FORBIDDEN", "INTERNAL"}, answer
        for left_out in inner if len(inner) > 1 else ():
            rest = [scope for scope in inner if scope != left_out]
            found = forbidden(api_with(tenant, rest).answer(query, **values))
            assert list(found) == [(name,)]


@pytest.fixture(scope="module")
def listening(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    with databases.url("sqlite") as url, listening_server(url, portal) as made:
        yield made


@pytest.mark.parametrize("name", cast("GraphQLObjectType", SCHEMA.subscription_type).fields)
def test_a_subscription_needs_its_scopes_and_no_others(listening: Server, name: str) -> None:
    assert SCHEMA.subscription_type is not None
    field = SCHEMA.subscription_type.fields[name]
    needed = alternatives(field)
    declared, selection, values = asked(name, field)
    query = f"subscription{f'({declared})' if declared else ''} {{ {selection} }}"
    named = {scope for inner in needed for scope in inner}
    tenant = listening.tenant()
    lacking = api_with(tenant, [scope for scope in MANAGEMENT_SCOPES if scope not in named])
    answer = lacking.sending(accept="text/event-stream").post(query, **values).json()
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "requiredScopes": needed[0]}
    for inner in needed:
        api = api_with(tenant, inner)
        with events(api.url, api.token, query, **values) as following:
            kind, first = following.event()
        assert (kind, "errors" in first) == ("next", False)
        assert first["extensions"]["cost"]["requested"] == 1 + bool(values)


# --- input fields -----------------------------------------------------------------------------


def input_cases() -> list[Any]:
    found = []
    for name, field in ROOTS["mutation"].fields.items():
        input_type = get_named_type(field.args["input"].type)
        assert isinstance(input_type, GraphQLInputObjectType)
        found += [
            pytest.param(name, member, id=f"{name}.{member}")
            for member, definition in input_type.fields.items()
            if alternatives(definition)
        ]
    return found


@pytest.mark.parametrize("name, member", input_cases())
def test_an_input_field_needs_its_scopes_where_it_is_sent(
    server: Server, name: str, member: str
) -> None:
    field = ROOTS["mutation"].fields[name]
    input_type = cast("GraphQLInputObjectType", get_named_type(field.args["input"].type))
    needed = alternatives(input_type.fields[member])
    own = alternatives(field)[0]
    tenant = server.root if is_roots([own, *needed]) else server.tenant()
    declared, selection, values = asked(name, field)
    query = document("mutation", declared, selection)
    assert not forbidden(api_with(tenant, own).answer(query, **values))
    values["input"][member] = value_of(input_type.fields[member].type)
    found = forbidden(api_with(tenant, own).answer(query, **values))
    assert found == {(name,): needed[0]}
    for inner in needed:
        assert not forbidden(api_with(tenant, [*own, *inner]).answer(query, **values))


# --- objects ----------------------------------------------------------------------------------


@pytest.mark.parametrize("noun", sorted(NODE_TYPES))
def test_an_object_by_its_id_needs_the_scope_of_its_type(server: Server, noun: str) -> None:
    tenant, ids = furnished(server)
    scope = NODE_TYPES[noun].scope
    lacking = api_with(tenant, [each for each in MANAGEMENT_SCOPES if each != scope])
    holding = api_with(tenant, [scope])
    for query, value, found in (
        ("query($id: ID!) { node(id: $id) { __typename } }", ids[noun], ("node",)),
        ("query($id: [ID!]!) { nodes(ids: $id) { __typename } }", [ids[noun]], ("nodes", 0)),
    ):
        refused = lacking.answer(query, id=value)
        ((path, required),) = forbidden(refused).items()
        assert path[0] == found[0]
        assert required == [scope]
        assert noun not in json.dumps(refused["data"])
        answer = holding.data(query, id=value)
        assert answer[found[0]] == ([{"__typename": noun}] if found[1:] else {"__typename": noun})


# --- fields of objects ------------------------------------------------------------------------


def nested_cases() -> list[Any]:
    return [
        pytest.param(type_.name, name, id=f"{type_.name}.{name}")
        for type_ in SCHEMA.type_map.values()
        if isinstance(type_, GraphQLObjectType)
        and type_ not in (*ROOTS.values(), SCHEMA.subscription_type)
        for name in guarded(type_)
    ]


@cache
def furnished(server: Server) -> tuple[Tenant, dict[str, str]]:
    """A tenant with an object of each type, and their ids."""
    tenant = server.tenant()
    return tenant, everything(root_api(tenant))


@pytest.mark.parametrize("type_name, name", nested_cases())
def test_a_field_of_an_object_needs_its_scopes_besides(
    server: Server, type_name: str, name: str
) -> None:
    type_ = cast("GraphQLObjectType", SCHEMA.type_map[type_name])
    needed = alternatives(type_.fields[name])
    tenant, ids = furnished(server)
    declared, selection, values = asked(name, type_.fields[name])
    selection = f"{selection} typed: __typename"
    node, steps, scopes = WAYS.get(type_name, (type_name, (), []))
    for step in reversed(steps):
        selection = f"{step} {{ {selection} }}"
    if type_name == "Viewer":
        path, selection = ["viewer"], f"viewer {{ {selection} }}"
        scopes = ["read:logs"]
    else:
        assert node in ids, f"`everything` makes no {node}"
        path = ["node", *(step.partition("(")[0] for step in steps)]
        selection = f"node(id: $node) {{ ... on {node} {{ {selection} }} }}"
        declared = ", ".join(filter(None, ("$node: ID!", declared)))
        values["node"] = ids[node]
        scopes = [*scopes, OF_NODES.get(node) or NODE_TYPES[node].scope]
    query = document("query", declared, selection)
    if not any(set(inner) <= set(scopes) for inner in needed):
        answer = api_with(tenant, scopes).answer(query, **values)
        (error,) = answer["errors"]
        assert [step for step in error["path"] if step != 0] == [*path, name]
        assert error["extensions"] == {"code": "FORBIDDEN", "requiredScopes": needed[0]}
        assert found_at(answer, path) == {name: None, "typed": type_name}
    for inner in needed:
        answer = api_with(tenant, [*scopes, *inner]).answer(query, **values)
        assert not {"FORBIDDEN", "INTERNAL"} & {
            error["extensions"]["code"] for error in answer.get("errors", ())
        }, answer
        assert found_at(answer, path)["typed"] == type_name


OF_NODES = {"Tenant": "read:tenant_settings", "Job": "create:users"}


def found_at(answer: Json, path: list[str]) -> Json:
    """The object at a path; the first of a list."""
    found: Any = answer["data"]
    for step in path:
        found = found[step]
        found = found[0] if isinstance(found, list) else found
    object_: Json = found
    return object_
