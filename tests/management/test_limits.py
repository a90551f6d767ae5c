"""Documents that are too large, too deep or too dear, refused with the figures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from graphql import get_introspection_query

from tenantry.management import limits
from tenantry.management.body import MAX_BODY
from tenantry.management.documents import Documents, operation_of
from tenantry.management.schema import build_schema
from tests.support.management import Api, Json

PAGE = "{ applications(first: %d) { nodes { name clientGrants(first: %d) { nodes { id } } } } }"


def cost(query: str, **variables: object) -> int:
    documents = Documents(build_schema()._schema)
    prepared = documents.prepare(query)
    assert prepared.document is not None, prepared.errors
    operation = operation_of(prepared.document, None)
    return documents.cost(prepared.document, operation, variables)


@pytest.mark.parametrize(
    "query, expected",
    [
        ("{ __typename }", 0),
        ("{ viewer { id name } }", 1),
        ("{ viewer { a: id b: name name } }", 3),
        ("{ tenant { name } viewer { id tenant { name } } }", 3),
        ("{ applications(first: 100) { totalCount pageInfo { hasNextPage } } }", 3),
        ("{ applications(last: 20) { nodes { name } } }", 21),
        ("{ applications(first: 20) { edges { cursor node { name } } } }", 21),
        (PAGE % (100, 5), 701),
        (("{ applications(first: 2) { ...A } } fragment A on ApplicationConnection { nodes "
         "{ ...B } } fragment B on Application { clientGrants(first: 3) { nodes { id } } }"), 11),
        ("{ applications(first: 2) { ... { nodes { ... on Application { name } } } } }", 3),
        ("{ applications(first: 1000) { nodes { name } } }", 101),
        ("{ applications(first: -5) { nodes { name } } }", 1),
        ("{ applications { nodes { name } } }", 1),
        ("{ signingKeys { kid certificate { pem } } }", 11),
        ("{ resourceServers(first: 10) { nodes { scopes { value } } } }", 21),
        (("{ a: applications(first: 10) { totalCount } b: applications(first: 10) "
         "{ nodes { id } } }"), 13),
        ("{ applications(first: 10) @include(if: false) { nodes { id } } }", 11),
        (('mutation { connectionCreate(input: {name: "a"}) { connection { name } '
         "errors { code } } }"), 13),
        (get_introspection_query(), 10),
    ],
)  # fmt: skip
def test_the_formula(query: str, expected: int) -> None:
    assert cost(query) == expected


def test_variables_count_with_their_values() -> None:
    query = "query($n: Int = 7) { applications(first: $n) { nodes { id } } }"
    assert cost(query) == 8
    assert cost(query, n=50) == 51
    assert cost(query, n=50.0) == 51
    assert cost(query, n="many") == 1
    assert cost(query, n=float("inf")) == 1
    assert cost(query, n=None) == 1


def test_every_answer_tells_its_cost(api: Api) -> None:
    cost = api.answer(PAGE % (100, 5))["extensions"]["cost"]
    assert cost.pop("throttle").keys() == {"maximum", "available", "restoreRate"}
    assert cost == {"requested": 701, "limit": 10_000}


def test_an_operation_over_the_limit_is_refused_with_the_figures(api: Api) -> None:
    answer = api.answer("{ a: applications(first: 100) { nodes { clientGrants(first: 100) "
                        "{ nodes { application { id } } } } } }")  # fmt: skip
    (error,) = answer["errors"]
    assert "data" not in answer
    assert error["extensions"] == {"code": "COST_LIMIT", "requested": 20_201, "limit": 10_000}
    assert answer["extensions"]["cost"] == {"requested": 20_201, "limit": 10_000}
    assert "20201" in error["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (True, True, True, True, True),
    ],
)
def test_standard_introspection_passes(api: Api, arguments: tuple[bool, ...]) -> None:
    answer = api.answer(get_introspection_query(*arguments))
    assert "errors" not in answer
    assert answer["extensions"]["cost"]["requested"] == 10


def test_introspection_cannot_be_used_to_burn_time(api: Api) -> None:
    query = "{ __schema { types { " + "fields { type { " * 5 + "name" + " } }" * 5 + " } } }"
    answer = api.answer(query)
    assert "data" not in answer


_CYCLE = ("clientGrants(first: 1)", "nodes", "application")


def nested(levels: tuple[str, ...]) -> str:
    return f"{{ {' { '.join(levels)} {'} ' * len(levels)}"


def deep(n: int) -> str:
    ways = ("applications(first: 1)", "nodes", *(_CYCLE[at % 3] for at in range(n)))
    return nested((*ways[: n - 1], "__typename"))


def deep_in_the_schema(n: int) -> str:
    ways = ("__schema", "queryType", "fields", "type", *("ofType",) * n)
    return nested((*ways[: n - 1], "name"))


def wide(n: int) -> str:
    """So many fields, none of them oftener than 20 times in one place."""
    full, rest = divmod(n - 1, 20)
    parts = [f"a{at}: viewer {{ {'id ' * 19} }}" for at in range(full)]
    return f"{{ {' '.join(parts)} {'__typename ' * (rest + 1)} }}"


def spread(n: int) -> str:
    used = " ".join(f"...F{at}" for at in range(n))
    made = " ".join(f"fragment F{at} on Viewer {{ id }}" for at in range(n))
    return f"{{ viewer {{ {used} }} }} {made}"


def tokens(n: int) -> str:
    return f"{{ __type(name: [{'1 ' * (n - 12)}]) {{ name }} }}"


DOCUMENTS: list[tuple[str, int, Callable[[int], str]]] = [
    ("DEPTH_LIMIT", limits.MAX_DEPTH, deep),
    ("DEPTH_LIMIT", limits.MAX_INTROSPECTION_DEPTH, deep_in_the_schema),
    ("ALIAS_LIMIT", limits.MAX_ALIASES,
     lambda n: f"{{ viewer {{ {' '.join(f'a{at}: id' for at in range(n))} }} }}"),
    ("ROOT_FIELD_LIMIT", limits.MAX_ROOT_FIELDS,
     lambda n: f"{{ __typename {' '.join(f'a{at}: __typename' for at in range(n - 1))} }}"),
    ("DIRECTIVE_LIMIT", limits.MAX_DIRECTIVES,
     lambda n: f"{{ viewer {{ {'...{ id @skip(if: false) } ' * n} }} }}"),
    ("FIELD_LIMIT", limits.MAX_FIELDS, wide),
    ("FIELD_LIMIT", limits.MAX_REPETITIONS, lambda n: f"{{ viewer {{ {'id ' * n} }} }}"),
    ("FIELD_LIMIT", limits.MAX_REPETITIONS,
     lambda n: f"{{ viewer {{ {'... { tenant { name } } ' * n} }} }}"),
    ("FIELD_LIMIT", limits.MAX_REPETITIONS,
     lambda n: f"{{ viewer {{ {'... { ...A } ' * n} tenant {{ id }} }} }} fragment A on Viewer "
               f"{{ ...B }} fragment B on Viewer {{ {'tenant { name } ' * (n - 1)} }}"),
    ("FRAGMENT_LIMIT", limits.MAX_FRAGMENTS, spread),
]  # fmt: skip


@pytest.mark.parametrize("code, limit, document", DOCUMENTS)
def test_a_document_at_a_limit_runs_and_one_past_it_does_not(
    api: Api, code: str, limit: int, document: Callable[[int], str]
) -> None:
    at_it = api.answer(document(limit))
    assert "errors" not in at_it, at_it["errors"]
    error = api.error(document(limit + 1))
    assert (error["code"], error["requested"], error["limit"]) == (code, limit + 1, limit)
    assert "data" not in api.answer(document(limit + 1))


def test_every_limit_of_documents_is_among_them() -> None:
    named = {name: value for name, value in vars(limits).items() if name.startswith("MAX_")}
    assert {named.pop("MAX_DOCUMENT"), named.pop("MAX_TOKENS")}
    assert set(named.values()) == {limit for _, limit, _ in DOCUMENTS}


def test_tokens_and_bytes_at_their_limits(api: Api) -> None:
    """The first is said by the parser, the second before it: past them nothing was read."""
    for made, limit, code in (
        (tokens, limits.MAX_TOKENS, "SYNTAX"),
        (lambda n: "{ __typename }".ljust(n), limits.MAX_DOCUMENT, "DOCUMENT_LIMIT"),
    ):
        (error, *_) = api.post(made(limit)).json().get("errors", [{"extensions": {"code": ""}}])
        assert error["extensions"]["code"] in {"", "INVALID_DOCUMENT"}
        (error,) = api.post(made(limit + 1)).json()["errors"]
        assert error["extensions"]["code"] == code
        assert str(limit) in error["message"]


def test_cost_at_its_limit(api: Api) -> None:
    page = "applications(first: 98) { nodes { clientGrants(first: 100) { nodes { id } } } }"
    rest = "viewer { id } tenant { id } a: viewer { id }"
    at_it = api.answer(f"{{ {page} {rest} }}")
    assert at_it["extensions"]["cost"]["requested"] == 10_000
    assert "errors" not in at_it
    past = api.answer(f"{{ {page} {rest} b: viewer {{ id }} }}")
    assert past["errors"][0]["extensions"]["requested"] == 10_001


def test_a_body_at_its_limit(api: Api) -> None:
    def sent(size: int) -> int:
        body = json.dumps({"query": "{ __typename }", "variables": {"a": ""}})
        padded = body.replace('""', f'"{"x" * (size - len(body))}"').encode()
        assert len(padded) == size
        headers = {"authorization": f"Bearer {api.token}", "content-type": "application/json"}
        return api.tenant.server.client.post(api.url, content=padded, headers=headers).status_code

    assert sent(MAX_BODY) == 200
    assert sent(MAX_BODY + 1) == 413


def test_nested_json_at_its_limit(api: Api) -> None:
    def answer(levels: int) -> Json:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        response = api.send({"query": "{ __typename }", "variables": {"a": value}})
        found: Json = response.json()
        return found

    assert answer(61)["data"]
    assert answer(62)["errors"][0]["extensions"]["code"] == "JSON_DEPTH"


def test_depth_counts_through_fragments(api: Api) -> None:
    parts = "".join(f" fragment F{n} on Viewer {{ tenant {{ ...F{n + 1} }} }}" for n in range(16))
    assert api.error(f"{{ viewer {{ ...F0 }} }}{parts}")["code"] == "DEPTH_LIMIT"


def test_hundred_aliased_mutations_pass(api: Api) -> None:
    fields = " ".join(
        f'm{n}: connectionUpdate(input: {{id: "x"}}) {{ errors {{ code }} }}' for n in range(100)
    )
    answer = api.answer(f"mutation {{ {fields} }}")
    assert "errors" not in answer
    assert answer["extensions"]["cost"]["requested"] == 1200


@pytest.mark.parametrize(
    "query",
    [
        "{" + "a{" * 5000 + "}" * 5001,
        "{ applications(first: 1, filter: " + "[" * 3000 + "]" * 3000 + ") { totalCount } }",
        "{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }",
        "{ viewer { ...F0 } }"
        + "".join(f" fragment F{n} on Viewer {{ ...F{n + 1} ...F{n + 1} }}" for n in range(90))
        + " fragment F90 on Viewer { id }",
        "{ viewer { " + "tenant { name id } " * 330 + "} }",
        "{ applications(first: " + "9" * 6000 + ") { totalCount } }",
        "{ viewer { id } } " + "# \n" * 20_000,
        "query(" + "$a: Int " * 2000 + ") { viewer { id } }",
        '{ node(id: "\\ud800") { id } }',
    ],
)
def test_hostile_documents_end_quickly(api: Api, query: str) -> None:
    began = time.process_time()
    response = api.post(query)
    assert response.status_code in {200, 400}
    assert time.process_time() - began < 2
