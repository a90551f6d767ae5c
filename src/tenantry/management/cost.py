"""What an operation costs, computed from its lists before it runs.

    operation   the sum over its root fields, and 10 more for each mutation
    scalar      0, or 1 under an alias
    object      1 + the sum over its fields
    page        1 + the sum over its fields, where `nodes` and `edges` cost n × (1 + the sum over
                the fields of the node), n being `first` or `last`, and `totalCount` costs 1
    plain list  1 + 10 × the sum over the fields of its entries
    `ids`       1 + n × (1 + the sum over the fields of an entry), n being how many ids are given

`__schema` and `__type` cost 10, whatever is asked of them. Variables count with their values,
fragments wherever they are spread, and fields also where a directive leaves them out. So
`applications(first: 100) { nodes { name clientGrants(first: 5) { nodes { id } } } }` costs
1 + 100 × (1 + 1 + 5 × (1 + 0)) = 701.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from tenantry.management.connections import MAX_PAGE

MUTATION = 10
INTROSPECTION = 10
PLAIN_LIST = 10
MAX_IDS = 100


class CostEstimate:
    """Counts one operation of a validated document."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._operation = operation
        self._variables = {
            definition.variable.name.value: self._value(definition.default_value)
            for definition in operation.variable_definitions or ()
        } | dict(variables)
        self._of_fragment: dict[tuple[str, int | None], int] = {}

    def total(self) -> int:
        root = self._schema.get_root_type(self._operation.operation)
        return self._selections(self._operation.selection_set, root, None) if root else 0

    def _selections(
        self, selections: SelectionSetNode, parent: GraphQLNamedType, page: int | None
    ) -> int:
        """`page` is the size of the page whose fields these are, None outside a page."""
        total = 0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                total += self._field(node, parent, page)
            elif isinstance(node, FragmentSpreadNode):
                total += self._fragment(node.name.value, page)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self._schema.type_map[condition.name.value] if condition else parent
                total += self._selections(node.selection_set, inner, page)
        return total

    def _fragment(self, name: str, page: int | None) -> int:
        # Counted once for all its spreads: fragments that spread each other twice would double
        # the work with every level.
        if (name, page) not in self._of_fragment:
            definition = self._fragments[name]
            parent = self._schema.type_map[definition.type_condition.name.value]
            self._of_fragment[name, page] = self._selections(definition.selection_set, parent, page)
        return self._of_fragment[name, page]

    def _field(self, node: FieldNode, parent: GraphQLNamedType, page: int | None) -> int:
        name = node.name.value
        if name in {"__schema", "__type"}:
            return INTROSPECTION
        if name == "__typename":
            return 0
        field = cast("GraphQLObjectType", parent).fields[name]
        if node.selection_set is None:
            return int(node.alias is not None or (page is not None and name == "totalCount"))
        is_page = "first" in field.args
        size = self._page_size(node) if is_page else None
        below = self._selections(node.selection_set, get_named_type(field.type), size)
        if page is not None and name in {"nodes", "edges"}:
            return page * (1 + below)
        if parent.name.endswith("Edge") and name == "node":
            return below
        if "ids" in field.args:
            return 1 + self._ids(node, "ids") * (1 + below)
        if not is_page and "clientIds" in field.args and self._ids(node, "clientIds"):
            return 1 + self._ids(node, "clientIds") * (1 + PLAIN_LIST * below)
        if not is_page and is_list_type(get_nullable_type(field.type)):
            return 1 + PLAIN_LIST * below
        is_mutation = parent is self._schema.get_root_type(OperationType.MUTATION)
        return 1 + below + (MUTATION if is_mutation else 0)

    def _page_size(self, node: FieldNode) -> int:
        """What the field refuses to give counts as little: it answers with an error."""
        values = {
            argument.name.value: self._value(argument.value) for argument in node.arguments or ()
        }
        return max(_size(values.get("first")), _size(values.get("last")))

    def _ids(self, node: FieldNode, name: str) -> int:
        """How many are given; the field refuses more than it may answer."""
        given = next((item.value for item in node.arguments or () if item.name.value == name), None)
        if isinstance(given, ListValueNode):
            return min(len(given.values), MAX_IDS)
        value = self._value(given)
        return min(len(value), MAX_IDS) if isinstance(value, list) else int(value is not None)

    def _value(self, value: ValueNode | None) -> Any:
        if isinstance(value, VariableNode):
            return self._variables.get(value.name.value)
        if not isinstance(value, IntValueNode):
            return None
        return int(value.value) if len(value.value) < 10 else MAX_PAGE


def _size(value: Any) -> int:
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return min(max(int(value), 0), MAX_PAGE) if is_whole else 0
