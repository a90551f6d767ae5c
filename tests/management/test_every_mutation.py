"""What every mutation honours: revisions, idempotency keys, and names that people can read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

from tenantry.management.schema import build_schema
from tests.management.test_ids import input_type
from tests.management.test_mutations import walk
from tests.support.management import Api, Json, root_api
from tests.support.server import Server, both_databases

SCHEMA = build_schema()._schema
AT_THE_ROOT = {"tenantCreate", "tenantDelete"}
NAMES = {"name", "friendlyName", "displayName", "description", "nickname", "inviterName"}
# A line break, a C1 control, a separator, an override and an isolate (UAX #9 §2).
UNREADABLE = ("a\nb", "a\x85b", "a\u2028b", "a\u202eb", "a\u2066b")


def types_of(mutation: str) -> tuple[GraphQLObjectType, GraphQLInputObjectType]:
    assert SCHEMA.mutation_type is not None
    payload = SCHEMA.mutation_type.fields[mutation].type
    assert isinstance(payload, GraphQLObjectType)
    return payload, input_type(mutation)


def shown(type_: GraphQLObjectType, deeper: bool = True) -> str:
    """All that is plain in a payload and in the objects that it holds."""
    parts = []
    for name, field in type_.fields.items():
        inner = get_named_type(field.type)
        if is_leaf_type(inner) and not field.args:
            parts.append(name)
        elif deeper and isinstance(inner, GraphQLObjectType):
            parts.append(f"{name} {{ {shown(inner, deeper=False)} }}")
    return " ".join(parts)


def answer(api: Api, mutation: str, input: Json) -> Json:
    payload, _ = types_of(mutation)
    name = f"{mutation[0].upper()}{mutation[1:]}Input"
    return api.data(
        f"mutation($input: {name}!) {{ {mutation}(input: $input) {{ {shown(payload)} }} }}",
        input=input,
    )


def test_each_mutation_is_done_once_for_its_key(server: Server, api: Api, root: Api) -> None:
    """Three times with one key: one change, and three times the same answer."""
    for mutation, input, _ in walk(api, root):
        keyed = (root if mutation in AT_THE_ROOT else api).sending(
            idempotency_key=f"{api.tenant.name}.{mutation}"
        )
        first = answer(keyed, mutation, input)
        assert first[mutation]["errors"] == [], mutation
        with server.stores_nothing():
            assert answer(keyed, mutation, input) == first, mutation
            assert answer(keyed, mutation, input) == first, mutation


def test_each_change_of_what_has_a_revision_may_expect_one(api: Api, root: Api) -> None:
    for mutation, input, _ in walk(api, root):
        where = root if mutation in AT_THE_ROOT else api
        _, given = types_of(mutation)
        if "expectedRevision" in given.fields:
            stale = where.refused(mutation, input | {"expectedRevision": 1_000_000})
            assert (stale["code"], stale["field"]) == ("CONFLICT", ["expectedRevision"]), mutation
            current = stale["currentRevision"]
            assert 0 < current < 1_000_000
            input = input | {"expectedRevision": current}
        where.do(mutation, "__typename", input)


def test_what_has_a_revision_is_changed_by_it_alone() -> None:
    assert SCHEMA.mutation_type is not None
    without = set()
    for mutation in SCHEMA.mutation_type.fields:
        _, given = types_of(mutation)
        nouns = [
            type_
            for name, type_ in SCHEMA.type_map.items()
            if isinstance(type_, GraphQLObjectType)
            and "id" in type_.fields
            and mutation.startswith(name[0].lower() + name[1:])
        ]
        noun = max(nouns, key=lambda type_: len(type_.name), default=None)
        if noun and "id" in given.fields and "revision" in noun.fields:
            without |= {mutation} - ({mutation} if "expectedRevision" in given.fields else set())
    assert without == set()


def test_names_are_what_they_look_like(api: Api, root: Api) -> None:
    checked = set()
    for mutation, input, _ in walk(api, root):
        where = root if mutation in AT_THE_ROOT else api
        _, given = types_of(mutation)
        for name in NAMES & given.fields.keys():
            if get_nullable_type(given.fields[name].type).__str__() != "String":
                continue
            for text in UNREADABLE:
                refusal = where.refused(mutation, input | {name: text})
                assert (refusal["code"], refusal["field"]) == ("INVALID", [name]), mutation
            checked.add(f"{mutation}.{name}")
        where.do(mutation, "__typename", input)
    assert {"applicationCreate.name", "tenantUpdate.friendlyName", "userUpdate.name"} <= checked


@both_databases
def test_of_changes_at_the_same_moment_one_succeeds(server: Server) -> None:
    """The others are told the revision that the object has now."""
    api = root_api(server.tenant())
    made = api.application()

    def change(number: int) -> Json:
        return api.mutate(
            "applicationUpdate",
            "application { revision name }",
            {"id": made["id"], "name": f"by {number}", "expectedRevision": 1},
        )

    with ThreadPoolExecutor(8) as pool:
        payloads = list(pool.map(change, range(8)))
    done = [payload["application"] for payload in payloads if payload["application"]]
    assert [found["revision"] for found in done] == [2]
    refusals: list[Any] = [error for payload in payloads for error in payload["errors"]]
    assert len(refusals) == 7
    assert {(error["code"], error["currentRevision"]) for error in refusals} == {("CONFLICT", 2)}
    read = api.data(
        "query($id: ID!) { node(id: $id) { ... on Application { name revision } } }", id=made["id"]
    )
    assert read["node"] == done[0]


@pytest.mark.parametrize("revision", [0, -1, 2**31 - 1])
def test_odd_revisions_conflict(api: Api, revision: int) -> None:
    made = api.application()
    change = {"id": made["id"], "name": "x", "expectedRevision": revision}
    assert api.refused("applicationUpdate", change)["code"] == "CONFLICT"
