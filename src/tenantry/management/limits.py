"""What a document may hold, counted before it is validated, since that takes long for a big one.

Fragments are counted once each and their measures remembered, so that no nesting of them makes
the counting long; a cycle counts as nothing here and is refused by the validation that follows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from tenantry.management.codes import RequestCode
from tenantry.management.errors import request_error

MAX_DOCUMENT = 64 * 1024
MAX_TOKENS = 10_000
MAX_DEPTH = 15
MAX_INTROSPECTION_DEPTH = 20
MAX_ALIASES = 100
MAX_ROOT_FIELDS = 100
MAX_DIRECTIVES = 50
MAX_FIELDS = 1_000
MAX_FRAGMENTS = 50
MAX_REPETITIONS = 20
"""Of one name in one selection, objects counted with those of the fragments that it spreads."""

# In a string literal it would reach the database, which refuses it on PostgreSQL.
_NUL = re.compile(r"\\u0000|\\u\{0+\}")


@dataclass(slots=True)
class _Counts:
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    repetitions: int = 0


@dataclass(slots=True)
class _Measure:
    """Of a selection set: levels below it, of ordinary fields and of introspection."""

    depth: int = 0
    introspection: int = 0
    width: int = 0

    def add(self, other: _Measure, levels: int = 0) -> None:
        self.depth = max(self.depth, other.depth + levels)
        self.introspection = max(self.introspection, other.introspection + levels)


@dataclass(slots=True)
class _Fragments:
    definitions: dict[str, FragmentDefinitionNode]
    measured: dict[str, _Measure] = field(default_factory=dict)

    def measure(self, name: str) -> _Measure:
        if name not in self.measured:
            self.measured[name] = _Measure()
            if name in self.definitions:
                self.measured[name] = _measure(self.definitions[name].selection_set, self)
        return self.measured[name]


@dataclass(slots=True)
class _Merged:
    """What selections hold with all the fragments that they spread, one in the other: each pair
    of objects of one name among them is compared by the validation.
    """

    definitions: dict[str, FragmentDefinitionNode]
    held: dict[str, tuple[Counter[str], frozenset[str]]] = field(default_factory=dict)

    def repetitions(self, selections: SelectionSetNode) -> int:
        """Of the most frequent name."""
        names, spread = self._own(selections)
        seen: set[str] = set()
        waiting = set(spread)
        while waiting:
            seen.add(name := waiting.pop())
            if name not in self.definitions:
                continue
            if name not in self.held:
                self.held[name] = self._own(self.definitions[name].selection_set)
            names = names + self.held[name][0]
            waiting |= self.held[name][1] - seen
        return max(names.values(), default=0)

    def _own(self, selections: SelectionSetNode) -> tuple[Counter[str], frozenset[str]]:
        names: Counter[str] = Counter()
        spread: set[str] = set()
        waiting = [selections]
        while waiting:
            for node in waiting.pop().selections:
                if isinstance(node, InlineFragmentNode):
                    waiting.append(node.selection_set)
                elif isinstance(node, FragmentSpreadNode):
                    spread.add(node.name.value)
                elif isinstance(node, FieldNode) and node.selection_set:
                    names[(node.alias or node.name).value] += 1
        return names, frozenset(spread)


def has_nul(text: str) -> bool:
    return _NUL.search(text) is not None


def broken_limits(document: DocumentNode) -> list[GraphQLError]:
    """The limits that a parsed document breaks, each with its figures."""
    definitions = [
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    fragments = {
        node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)
    }
    counts = _Counts()
    merged = _Merged(fragments if len(fragments) <= MAX_FRAGMENTS else {})
    for definition in definitions:
        _count(definition, counts, merged)
    found = [
        *_over("fields", "FIELD_LIMIT", counts.fields, MAX_FIELDS),
        *_over("aliases", "ALIAS_LIMIT", counts.aliases, MAX_ALIASES),
        *_over("directives", "DIRECTIVE_LIMIT", counts.directives, MAX_DIRECTIVES),
        *_over("repetitions of a field", "FIELD_LIMIT", counts.repetitions, MAX_REPETITIONS),
        *_over("fragments", "FRAGMENT_LIMIT", len(fragments), MAX_FRAGMENTS),
    ]
    known = _Fragments(fragments)
    for definition in definitions:
        if isinstance(definition, OperationDefinitionNode) and not found:
            size = _measure(definition.selection_set, known)
            found += _over("levels", "DEPTH_LIMIT", size.depth, MAX_DEPTH)
            found += _over(
                "levels of introspection",
                "DEPTH_LIMIT",
                size.introspection,
                MAX_INTROSPECTION_DEPTH,
            )
            found += _over("root fields", "ROOT_FIELD_LIMIT", size.width, MAX_ROOT_FIELDS)
    return found


def _over(what: str, code: RequestCode, requested: int, limit: int) -> Iterator[GraphQLError]:
    if requested > limit:
        message = f"The document has {requested} {what}; the limit is {limit}."
        yield request_error(code, message, requested=requested, limit=limit)


def _count(
    definition: OperationDefinitionNode | FragmentDefinitionNode, counts: _Counts, merged: _Merged
) -> None:
    counts.directives += len(definition.directives or ())
    if isinstance(definition, OperationDefinitionNode):
        for variable in definition.variable_definitions or ():
            counts.directives += len(variable.directives or ())
    waiting = [definition.selection_set]
    while waiting:
        names: Counter[str] = Counter()
        selections = waiting.pop()
        counts.repetitions = max(counts.repetitions, merged.repetitions(selections))
        for node in selections.selections:
            counts.directives += len(node.directives or ())
            if isinstance(node, FieldNode):
                names[(node.alias or node.name).value] += 1
                counts.fields += 1
                counts.aliases += node.alias is not None
            if isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set:
                waiting.append(node.selection_set)
        counts.repetitions = max(counts.repetitions, *names.values(), 0)


def _measure(selections: SelectionSetNode, fragments: _Fragments) -> _Measure:
    result = _Measure()
    for node in selections.selections:
        if isinstance(node, FieldNode):
            result.width += 1
            below = _measure(node.selection_set, fragments) if node.selection_set else _Measure()
            if node.name.value in {"__schema", "__type"}:
                deepest = max(below.depth, below.introspection) + 1
                result.introspection = max(result.introspection, deepest)
            else:
                result.add(below, levels=1)
            continue
        below = (
            fragments.measure(node.name.value)
            if isinstance(node, FragmentSpreadNode)
            else _measure(node.selection_set, fragments)
            if isinstance(node, InlineFragmentNode)
            else _Measure()
        )
        result.add(below)
        result.width += below.width
    return result
