"""Odd values in every argument and input field: refused or taken, never a fault."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_nullable_type,
    is_list_type,
)

from tenantry.management.schema import build_schema
from tests.management.test_every_mutation import AT_THE_ROOT
from tests.support.management import is_one_of, root_api
from tests.support.server import Server, both_databases

SCHEMA = build_schema()._schema
TEXTS = [
    "",
    " ",
    "x",
    "\U0001f600" * 3,
    "é\u202e\u0300",
    "'; DROP TABLE users; --",
    "%_\\/[]^*?",
    "x" * 700,
    "x" * 60_000,
    "https://a.example.com/\u00e9?x=1#y",
    "http://[::1",
    "https://user:pass@a.example.com:99999/",
    "javascript:alert(1)",
    "-1",
    "2030-01-31T08:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "\x7f\x1f",
    "Username-Password-Authentication",
]
MAX_SENT = 400_000  # Of the bytes that a request may have, 524,288.
NUMBERS = [0, 1, -1, 100, 101, 2**31 - 1, -(2**31)]


def odd(type_: Any, dice: random.Random) -> Any:
    """A value that the type accepts in its form, be it sensible or not."""
    if not isinstance(type_, GraphQLNonNull) and dice.random() < 0.2:
        return None
    type_ = get_nullable_type(type_)
    if is_list_type(type_):
        return [odd(type_.of_type, dice) for _ in range(dice.choice([0, 1, 2, 30]))]
    if is_one_of(type_):
        name = dice.choice(list(type_.fields))
        return {name: odd(GraphQLNonNull(type_.fields[name].type), dice)}
    if isinstance(type_, GraphQLInputObjectType):
        return {
            name: odd(field.type, dice)
            for name, field in type_.fields.items()
            if isinstance(field.type, GraphQLNonNull) or dice.random() < 0.4
        }
    if isinstance(type_, GraphQLEnumType):
        return dice.choice(list(type_.values))
    if type_.name == "Int":
        return dice.choice(NUMBERS)
    return dice.random() < 0.5 if type_.name == "Boolean" else dice.choice(TEXTS)


def fields() -> list[Any]:
    roots = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type}
    return [
        pytest.param(kind, name, id=f"{kind}.{name}")
        for kind, root in roots.items()
        if isinstance(root, GraphQLObjectType)
        for name in root.fields
        if root.fields[name].args
    ]


@both_databases
@pytest.mark.parametrize("kind, name", fields())
def test_no_value_is_a_fault(server: Server, kind: str, name: str) -> None:
    api = root_api(server.root if name in {*AT_THE_ROOT, "tenants"} else server.tenant())
    root = SCHEMA.query_type if kind == "query" else SCHEMA.mutation_type
    assert root is not None
    arguments = root.fields[name].args
    declared = ", ".join(f"${n}: {a.type}" for n, a in arguments.items())
    passed = ", ".join(f"{n}: ${n}" for n in arguments)
    selection = "errors { code field message }" if kind == "mutation" else "__typename"
    query = f"{kind}({declared}) {{ {name}({passed}) {{ {selection} }} }}"
    dice = random.Random(name)
    for _ in range(12):
        sent = {n: odd(a.type, dice) for n, a in arguments.items()}
        if len(json.dumps(sent)) > MAX_SENT:
            continue
        answer = api.answer(query, **{n: v for n, v in sent.items() if v is not None})
        for error in answer.get("errors", ()):
            assert error["extensions"]["code"] in {"BAD_REQUEST", "BAD_CURSOR"}, (error, sent)
