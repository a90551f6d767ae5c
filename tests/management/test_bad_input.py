"""Input that is meant to hurt: answered quickly, with a type, and with nothing half done."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from tenantry.management.schema import build_schema
from tests.management.test_ids import input_type
from tests.support.management import Api, Json, root_api, value_of
from tests.support.server import Server, both_databases

SCHEMA = build_schema()._schema
BOMBS = (
    "(a+)+$",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(" * 200,
    "%" * 400,
    "_%" * 200,
    "\\" * 401,
    "a" * 200 + "!",
    "[[:alpha:]]*",
    "'; SELECT pg_sleep(9) --",
    "\u202e\u0301" * 100,
)
SECONDS = 2.0


def codes(answer: Json) -> set[str]:
    return {error["extensions"]["code"] for error in answer.get("errors", ())}


# --- long lists -------------------------------------------------------------------------------


def list_fields() -> Iterator[Any]:
    assert SCHEMA.mutation_type is not None
    for mutation in SCHEMA.mutation_type.fields:
        for name, field in input_type(mutation).fields.items():
            if is_list_type(get_nullable_type(field.type)):
                yield pytest.param(mutation, name, id=f"{mutation}.{name}")


@pytest.mark.parametrize("mutation, name", list(list_fields()))
def test_a_long_list_is_refused_or_falls_together(server: Server, mutation: str, name: str) -> None:
    """Three thousand entries, more than most lists take."""
    api = root_api(server.root if mutation.startswith("tenant") else server.tenant())
    input_ = input_type(mutation)
    entry = value_of(get_nullable_type(input_.fields[name].type).of_type)
    input: Json = value_of(input_) | {name: [entry] * 3_000}
    query = (
        f"mutation($input: {input_.name}!) {{ {mutation}(input: $input) "
        "{ errors { code field } } }"
    )
    began = time.process_time()
    response = api.post(query, input=input)
    assert time.process_time() - began < SECONDS
    if response.status_code == 413:
        return
    assert response.status_code == 200
    answer = response.json()
    assert "INTERNAL" not in codes(answer)
    assert answer["data"][mutation]["errors"], "it was done"


def test_a_million_entries_are_too_large_to_read(api: Api) -> None:
    query = """mutation($uris: [String!]) {
      applicationUpdate(input: {id: "x", redirectUris: $uris}) { errors { code } } }"""
    began = time.process_time()
    response = api.post(query, uris=["a"] * 1_000_000)
    assert response.status_code == 413
    assert codes(response.json()) == {"BODY_TOO_LARGE"}
    assert time.process_time() - began < SECONDS


# --- search -----------------------------------------------------------------------------------


def filters() -> Iterator[Any]:
    assert SCHEMA.query_type is not None
    for name, field in SCHEMA.query_type.fields.items():
        for argument, definition in field.args.items():
            type_ = get_named_type(definition.type)
            if isinstance(type_, GraphQLInputObjectType):
                for member, inner in type_.fields.items():
                    if get_nullable_type(inner.type) is get_named_type(inner.type) and str(
                        get_named_type(inner.type)
                    ) in {"String", "ID"}:
                        yield pytest.param(name, argument, member, id=f"{name}.{member}")


@both_databases
@pytest.mark.parametrize("name, argument, member", list(filters()))
def test_a_search_takes_text_as_it_is(
    server: Server, name: str, argument: str, member: str
) -> None:
    """No pattern language: nothing to explode, nothing that means everything."""
    api = root_api(server.root if name == "tenants" else server.tenant())
    assert SCHEMA.query_type is not None
    field = SCHEMA.query_type.fields[name]
    given = {
        n: value_of(a.type)
        for n, a in field.args.items()
        if n != argument and (isinstance(a.type, GraphQLNonNull) or n == "first")
    }
    assert isinstance(get_named_type(field.type), GraphQLObjectType)
    declared = ", ".join(f"${n}: {field.args[n].type}" for n in (*given, argument))
    passed = ", ".join(f"{n}: ${n}" for n in (*given, argument))
    query = f"query({declared}) {{ {name}({passed}) {{ __typename }} }}"
    for bomb in BOMBS:
        began = time.process_time()
        answer = api.answer(query, **given, **{argument: {member: bomb}})
        assert time.process_time() - began < SECONDS
        assert codes(answer) <= {"BAD_REQUEST", "BAD_CURSOR"}, (bomb, answer)


@both_databases
def test_wildcards_find_themselves_alone(server: Server) -> None:
    api = root_api(server.tenant())
    for name in ("plain", "100%", "a_b", "back\\slash"):
        api.application(name=name)
    query = """query($text: String!) { applications(first: 9, filter: {nameContains: $text}) {
      nodes { name } } }"""
    for text in ("%", "_", "\\"):
        nodes = api.data(query, text=text)["applications"]["nodes"]
        assert all(text in node["name"] for node in nodes)
        assert len(nodes) == 1


# --- cursors ----------------------------------------------------------------------------------


@both_databases
def test_a_cursor_of_another_tenant_opens_nothing_there(server: Server) -> None:
    first, second = root_api(server.tenant()), root_api(server.tenant())
    own = {second.application(name=f"own {n}")["id"] for n in range(3)}
    for n in range(3):
        first.application(name=f"foreign {n}")
    page = first.data("{ applications(first: 1) { pageInfo { endCursor } } }")
    cursor = page["applications"]["pageInfo"]["endCursor"]
    query = """query($after: String) { applications(first: 50, after: $after) {
      nodes { id name isSystem } } }"""
    answer = second.answer(query, after=cursor)
    if "errors" in answer:
        assert codes(answer) == {"BAD_CURSOR"}
    else:
        nodes = answer["data"]["applications"]["nodes"]
        assert {node["id"] for node in nodes if not node["isSystem"]} <= own


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def lists() -> list[str]:
    assert SCHEMA.query_type is not None
    return [name for name, field in SCHEMA.query_type.fields.items() if "after" in field.args]


FORGED = (
    "", "x", "é", "====", "W10", "A" * 5000, "\u202e",
    *map(encoded, (
        [], {}, None, 1, "", [[]], ["x"], [1, 2], ["x", None], ["x", {}], ["x", [], "y"],
        [2**70, "x"], ["x" * 3000, "y"], ["\ud800", "x"], [True, False], [-1, "\u0000"],
    )),
)  # fmt: skip


@pytest.mark.parametrize("name", lists())
def test_forged_cursors_are_refused(server: Server, name: str) -> None:
    """Of every list, from both ends, and a cursor of another list with its order."""
    api = root_api(server.root)
    assert SCHEMA.query_type is not None
    field = SCHEMA.query_type.fields[name]
    given = {
        n: value_of(a.type) for n, a in field.args.items() if isinstance(a.type, GraphQLNonNull)
    }
    declared = "".join(f", ${n}: {field.args[n].type}" for n in given)
    passed = "".join(f", {n}: ${n}" for n in given)
    other = "roles" if name != "roles" else "applications"
    api.do("roleCreate", "__typename", {"name": f"before {name}"})
    foreign = api.data(f"{{ {other}(first: 1) {{ pageInfo {{ endCursor }} }} }}")
    cursors = (*FORGED, foreign[other]["pageInfo"]["endCursor"])
    for size, place in (("first", "after"), ("last", "before")):
        query = f"""query($at: String!{declared}) {{
          {name}({size}: 1, {place}: $at{passed}) {{ nodes {{ __typename }} }} }}"""
        for cursor in cursors:
            answer = api.answer(query, at=cursor, **given)
            assert codes(answer) == {"BAD_CURSOR"}, (cursor, answer)
            assert answer["data"] == {name: None}


# --- documents --------------------------------------------------------------------------------


def test_a_document_past_every_limit_says_which(api: Api) -> None:
    wide = " ".join(f"a{n}: id{' @skip(if: false)' * (n < 60)}" for n in range(1_001))
    fragments = " ".join(f"fragment F{n} on Viewer {{ id }}" for n in range(101))
    query = f"{{ viewer {{ {wide} {'id ' * 21} }} }} {fragments}"
    assert len(query) < 64 * 1024
    answer = api.answer(query)
    assert "data" not in answer
    found = {error["extensions"]["code"]: error["extensions"] for error in answer["errors"]}
    assert found.keys() == {"FIELD_LIMIT", "ALIAS_LIMIT", "DIRECTIVE_LIMIT", "FRAGMENT_LIMIT"}
    for extensions in found.values():
        assert extensions["requested"] > extensions["limit"]


@pytest.mark.parametrize(
    "query, limit",
    [
        ("{ viewer { id } }" + " " * 65_536, "65536"),
        ("{ " + "viewer { id } " * 2_600 + "}", "10000"),
    ],
)
def test_the_size_of_a_document_and_its_tokens_have_figures(
    api: Api, query: str, limit: str
) -> None:
    (error,) = api.send({"query": query}).json()["errors"]
    assert error["extensions"]["code"] in {"DOCUMENT_LIMIT", "SYNTAX"}
    assert limit in error["message"]


def test_operations_in_a_list_are_refused(api: Api) -> None:
    response = api.send([{"query": "{ viewer { id } }"}] * 3)
    assert response.status_code == 400
    assert codes(response.json()) == {"BATCH_REFUSED"}
