"""Documents that are too large, too deep or too dear, refused with the figures."""

from __future__ import annotations

import time

import pytest
from graphql import get_introspection_query

from tenantry.management.documents import Documents, operation_of
from tenantry.management.schema import build_schema
from tests.support.management import Api

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


@pytest.mark.parametrize(
    "query, code, requested, limit",
    [
        ("{ viewer { " + " ".join(f"a{n}: id" for n in range(101)) + " } }",
         "ALIAS_LIMIT", 101, 100),
        ("{ viewer { id " + "tenant { " * 15 + "id" + " }" * 15 + " } }", "DEPTH_LIMIT", 17, 15),
        ("{ viewer { id } " + " ".join(f"a{n}: __typename" for n in range(100)) + "}",
         "ROOT_FIELD_LIMIT", 101, 100),
        ("{ viewer { " + "...{ id @skip(if: false) } " * 51 + "} }", "DIRECTIVE_LIMIT", 51, 50),
        ("{ viewer { " + "... { id } " * 1000 + "} }", "FIELD_LIMIT", 1001, 1000),
        ("{ __schema { " + "queryType { " * 20 + "name" + " }" * 20 + " } }",
         "DEPTH_LIMIT", 22, 20),
    ],
)  # fmt: skip
def test_other_limits(api: Api, query: str, code: str, requested: int, limit: int) -> None:
    error = api.error(query)
    assert (error["code"], error["requested"], error["limit"]) == (code, requested, limit)


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
    began = time.perf_counter()
    response = api.post(query)
    assert response.status_code in {200, 400}
    assert time.perf_counter() - began < 2
