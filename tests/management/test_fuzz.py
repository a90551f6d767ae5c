"""Operations that schemathesis makes up from the schema: never a fault, whatever they ask.

Each root field gets a few documents of its own within a time for all of them; `--full` makes many
more, other ones each time.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any, get_args

import httpx2
import pytest
import schemathesis
from graphql import GraphQLScalarType, is_specified_scalar_type
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes
from schemathesis.core.result import Ok

from tenantry.keys.signing import generate_private_key
from tenantry.management.codes import RequestCode
from tenantry.management.schema import build_schema, sdl
from tests.management.test_ids import everything
from tests.support.management import root_api
from tests.support.server import Server

SECONDS = 25
EXAMPLES = 10
FULL_EXAMPLES = 300
_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "Date": st.dates().map(lambda day: nodes.String(day.isoformat()))
    | st.text(max_size=12).map(nodes.String),
    "DateTime": st.datetimes().map(lambda at: nodes.String(f"{at.isoformat()}Z"))
    | st.text(max_size=40).map(nodes.String),
    "JSON": st.builds(
        lambda value: nodes.String(json.dumps(value)),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=8,
        ),
    ),
}
for _name, _strategy in _SCALARS.items():
    schemathesis.graphql.scalar(_name, _strategy)
OPERATIONS = {
    result.ok().label: result.ok()
    for result in schemathesis.graphql.from_file(sdl()).get_all_operations()
    if isinstance(result, Ok)
}
SPENT = [0.0]
KNOWN = {*get_args(RequestCode)} - {"INTERNAL", "OVERLOADED"}
_ID = re.compile(r'\bid: (?:"(?:[^"\\]|\\.)*"|-?\d+)')
_REVISION = re.compile(r"\bexpectedRevision: -?\d+")


class Root:
    """The root's API, at which every field is, with a token that some operations end."""

    def __init__(self, server: Server) -> None:
        self._server = server
        # The pool of the tests repeats its keys; here more are taken than it holds.
        object.__setattr__(server.runtime, "key_source", generate_private_key)
        self.api = root_api(server.root)
        self._ids = everything(self.api)

    def aimed(self, label: str, query: str) -> str:
        """The same about an object that exists, as long as none has removed it."""
        name = label.partition(".")[2]
        nouns = [noun for noun in self._ids if name.startswith(noun[0].lower() + noun[1:])]
        if not nouns:
            return query
        id_ = self._ids[max(nouns, key=len)]
        return _ID.sub(f'id: "{id_}"', _REVISION.sub("expectedRevision: null", query))

    def post(self, query: str) -> httpx2.Response:
        response = self.api.post(query)
        if response.status_code in {401, 403}:
            # An earlier one has revoked a key, or kept somebody out.
            self._server.root.change(access_control_list=None)
            self.api = root_api(self._server.root)
            response = self.api.post(query)
        return response


@pytest.fixture(scope="module")
def fuzzed(server: Server) -> Root:
    return Root(server)


def test_every_scalar_and_root_field_is_covered() -> None:
    schema = build_schema()._schema
    own = {
        type_.name
        for type_ in schema.type_map.values()
        if isinstance(type_, GraphQLScalarType) and not is_specified_scalar_type(type_)
    }
    assert own == _SCALARS.keys()
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    assert {f"Query.{name}" for name in schema.query_type.fields} | {
        f"Mutation.{name}" for name in schema.mutation_type.fields
    } <= OPERATIONS.keys()


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_no_operation_is_a_fault(request: pytest.FixtureRequest, fuzzed: Root, label: str) -> None:
    if label.startswith("Subscription."):
        pytest.skip("a subscription lasts")
    is_full = bool(request.config.getoption("--full"))
    examples = EXAMPLES if SPENT[0] < SECONDS else 1

    @settings(
        max_examples=FULL_EXAMPLES if is_full else examples,
        derandomize=not is_full,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[label].as_strategy(), is_aimed=st.booleans())
    def ask(case: Any, is_aimed: bool) -> None:
        query = fuzzed.aimed(label, case.body) if is_aimed else case.body
        response = fuzzed.post(query)
        assert response.status_code in {200, 400, 413}, query
        answer = response.json()
        for error in answer.get("errors", ()):
            code = error["extensions"]["code"]
            assert code in KNOWN, (query, error)
            if code == "UNTRUSTED_DOCUMENT":
                # Made up, too: the switch that lets nothing else run.
                fuzzed.api.do("tenantUpdate", "__typename", {"trustedDocumentsOnly": False})

    began = time.perf_counter()
    ask()
    SPENT[0] += time.perf_counter() - began
