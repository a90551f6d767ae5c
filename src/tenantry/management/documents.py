"""Documents: parsed, limited and validated, and remembered, since clients repeat them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_operation_ast,
    parse,
    validate,
)

from tenantry.management.body import MAX_BODY, Parameters, too_large
from tenantry.management.cost import CostEstimate
from tenantry.management.errors import request_error
from tenantry.management.limits import MAX_DEPTH, MAX_TOKENS, broken_limits

_MAX_ERRORS = 20
# A tree takes some fifty times the room of its text.
_REMEMBERED = 128
_MAX_REMEMBERED_TEXT = 8 * 1024
_CONFIGURING = frozenset({"configurationApply", "configurationPlan"})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that may run, or what is wrong with it."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()


class Documents:
    """Prepares documents for one schema, and remembers the last ones."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: OrderedDict[str, Prepared] = OrderedDict()

    def knows(self, text: str) -> bool:
        return text in self._known

    def prepare(self, text: str) -> Prepared:
        prepared = self._known.get(text)
        if prepared is not None:
            self._known.move_to_end(text)
            return prepared
        prepared = self._prepare(text)
        if len(text) <= _MAX_REMEMBERED_TEXT:
            self._known[text] = prepared
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return prepared

    def _prepare(self, text: str) -> Prepared:
        try:
            document = parse(text, max_tokens=MAX_TOKENS)
        except GraphQLError as refusal:
            refusal.extensions = {"code": "SYNTAX"}
            return Prepared(None, (refusal,))
        except RecursionError:
            message = f"The document is nested too deep; the limit is {MAX_DEPTH} levels."
            return Prepared(None, (request_error("DEPTH_LIMIT", message, limit=MAX_DEPTH),))
        errors = broken_limits(document)
        if not errors:
            errors = validate(self._schema, document, max_errors=_MAX_ERRORS)
            for error in errors:
                error.extensions = {"code": "INVALID_DOCUMENT"}
        return Prepared(None if errors else document, tuple(errors))

    def cost(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> int:
        return CostEstimate(self._schema, fragments_of(document), operation, variables).total()


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation to run. A request error where the name does not say which."""
    operation = get_operation_ast(document, name)
    if operation is None:
        message = f"There is no operation {name}." if name else "Send the `operationName`."
        raise request_error("BAD_REQUEST", message)
    return operation


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }


def only_introspects(document: DocumentNode, operation: OperationDefinitionNode) -> bool:
    """Whether every root field asks about the schema itself."""
    fragments = fragments_of(document)

    def of(selections: SelectionSetNode) -> bool:
        return all(
            node.name.value.startswith("__")
            if isinstance(node, FieldNode)
            else of(fragments[node.name.value].selection_set)
            if isinstance(node, FragmentSpreadNode)
            else isinstance(node, InlineFragmentNode) and of(node.selection_set)
            for node in selections.selections
        )

    return operation.operation.value == "query" and of(operation.selection_set)


def require_small(parameters: Parameters, operation: OperationDefinitionNode) -> None:
    """Only an operation whose root fields all take configuration documents may be large."""
    if parameters.size > MAX_BODY and not all(
        isinstance(node, FieldNode) and node.name.value in _CONFIGURING
        for node in operation.selection_set.selections
    ):
        too_large(MAX_BODY)
