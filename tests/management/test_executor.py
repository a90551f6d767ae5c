"""The executor answers as graphql-core's does, also where a value does not fit its type."""

from __future__ import annotations

from enum import Enum
from typing import Any, cast

import pytest
import strawberry
from graphql import GraphQLError, GraphQLResolveInfo
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from tenantry.management.executor import Executor, mark_attributes
from tests.support.loops import run_apart


@strawberry.enum
class Colour(Enum):
    RED = "red"


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Part(Named):
    colour: Colour = Colour.RED
    numbers: list[int] = strawberry.field(default_factory=lambda: [1, 2])


@strawberry.type
class Thing(Named):
    note: str | None = None
    part: Part | None = None
    parts: list[Part] = strawberry.field(default_factory=list)
    holes: list[Part | None] = strawberry.field(default_factory=lambda: [None, Part(name="part")])

    @strawberry.field
    async def later(self) -> str:
        return f"{self.name} later"

    @strawberry.field
    async def refused(self) -> str | None:
        raise GraphQLError("refused")


def _wrong(value: Any) -> Any:
    """What a type checker would not let pass."""
    return cast("Any", value)


@strawberry.type
class Query:
    @strawberry.field
    def things(self) -> list[Thing]:
        part = Part(name="part")
        return [Thing(name="a", part=part, parts=[part, part]), Thing(name="b", note="a note")]

    @strawberry.field
    def nothing(self) -> Thing | None:
        return Thing(name=_wrong(None))

    @strawberry.field
    def colourless(self) -> list[Thing | None]:
        return [
            Thing(name="a", part=Part(name="part", colour=_wrong("blue"))),
            Thing(name="b", part=Part(name="part", numbers=_wrong([1, "x"]))),
            Thing(name="c", parts=[Part(name="part"), _wrong(None)]),
            Thing(name="d", parts=_wrong(7)),
            Thing(name="e", note=_wrong(7), part=Part(name="part", numbers=_wrong((1, 2)))),
        ]

    @strawberry.field
    def named(self) -> list[Named]:
        return [Part(name="part"), Thing(name="a")]


PLAIN = "name note part { name colour numbers } parts { name } holes { numbers }"
DOCUMENTS = [
    f"{{ things {{ {PLAIN} }} }}",
    f"{{ things {{ parts {{ __typename name }} later {PLAIN} __typename }} }}",
    "{ things { refused name later again: name } }",
    "{ things { ...on Thing { name } ...F } } fragment F on Thing { note parts { colour } }",
    "query($no: Boolean = false) { things { name @include(if: $no) note @skip(if: $no) } }",
    "{ things { parts { name } } others: things { parts { colour } parts { name } } }",
    "{ named { name ...on Thing { note } ...on Part { colour } } }",
    "{ nothing { note name } }",
    f"{{ colourless {{ later {PLAIN} }} }}",
    f"{{ colourless {{ {PLAIN} }} }}",
    "{ __schema { queryType { name fields { name type { kind ofType { name } } } } } }",
]


def _schema(executor: type[StrawberryGraphQLCoreExecutionContext]) -> strawberry.Schema:
    schema = strawberry.Schema(Query, types=[Part, Thing], execution_context_class=executor)
    if executor is Executor:
        mark_attributes(schema._schema)
    return schema


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_answer_is_that_of_the_library(document: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL", "strawberry.execution")
    answers = []
    for executor in (StrawberryGraphQLCoreExecutionContext, Executor):
        result = run_apart(_schema(executor).execute(document))
        errors = sorted((error.formatted for error in result.errors or ()), key=str)
        # Texts, so that the order of the fields counts.
        answers.append((str(result.data), errors))
    assert answers[0] == answers[1]


def test_a_plain_list_is_read_without_resolvers(monkeypatch: pytest.MonkeyPatch) -> None:
    described: list[str] = []
    original = Executor.build_resolve_info

    def build(self: Executor, *arguments: Any) -> GraphQLResolveInfo[Any]:
        info = original(self, *arguments)
        described.append(info.field_name)
        return info

    monkeypatch.setattr(Executor, "build_resolve_info", build)
    result = run_apart(_schema(Executor).execute(f"{{ things {{ {PLAIN} }} }}"))
    assert result.errors is None
    assert described == ["things"]
