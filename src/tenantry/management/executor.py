"""Runs operations. What is only an attribute is read at once; all else is left to graphql-core.

A long list has thousands of such fields, and for each of them graphql-core would describe the
request to a resolver, note the path and take its type apart. A value that does not fit its type
is left to graphql-core too, which says what is wrong and where.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, cast

from graphql import (
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    Undefined,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField

Read = Callable[[Any], Any]
"""Makes of a value what the answer has in its place. It raises where the value does not fit."""
_ATTRIBUTE = "tenantry-attribute"


class _Plan(NamedTuple):
    """How the fields of a selection are had: what is read at once by which name, and the others."""

    selection: dict[str, Any]
    plain: tuple[tuple[str, str, Read], ...]
    others: dict[str, Any]

    def read(self, source: Any) -> dict[str, Any]:
        """The answer, where there are no others."""
        return {name: complete(getattr(source, key)) for name, key, complete in self.plain}


class Executor(StrawberryGraphQLCoreExecutionContext):
    """The executor of one operation."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans: dict[tuple[GraphQLObjectType, int], _Plan] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: dict[str, Any],
        position_context: Any,
    ) -> Any:
        plan = self._plan(parent_type, grouped_field_set)
        # The answer has the order of the selection.
        results: dict[str, Any] = dict.fromkeys(grouped_field_set)
        others = plan.others
        for name, key, complete in plan.plain:
            try:
                results[name] = complete(getattr(source_value, key))
            except Exception:
                others = others | {name: grouped_field_set[name]}
        if not others:
            return results
        further = super().execute_fields(parent_type, source_value, path, others, position_context)
        if self.is_awaitable(further):
            return _joined(results, cast("Awaitable[dict[str, Any]]", further))
        results.update(cast("dict[str, Any]", further))
        return results

    def _plan(self, parent_type: GraphQLObjectType, selection: dict[str, Any]) -> _Plan:
        # The plan keeps its selection, so that no other one can have its id.
        key = (parent_type, id(selection))
        plan = self._plans.get(key)
        if plan is None:
            plain, others = [], {}
            for name, nodes in selection.items():
                field = self.schema.get_field(parent_type, nodes[0].node.name.value)
                attribute = field.extensions.get(_ATTRIBUTE) if field else None
                complete = self._completion(field.type, nodes) if field and attribute else None
                if attribute and complete:
                    plain.append((name, attribute, complete))
                else:
                    others[name] = nodes
            plan = self._plans[key] = _Plan(selection, tuple(plain), others)
        return plan

    def _completion(self, type_: GraphQLOutputType, nodes: Any) -> Read | None:
        """What completes an attribute of a type; None where graphql-core has to."""
        if is_non_null_type(type_):
            complete = self._completion(type_.of_type, nodes)
            return complete and _required(complete)
        if is_list_type(type_):
            each = self._completion(type_.of_type, nodes)
            return each and _optional(lambda values: [each(value) for value in values])
        if is_leaf_type(type_):
            return _leaf(type_.name, type_.coerce_output_value)
        if is_object_type(type_):
            selection, deferred, _ = self.collect_subfields(type_, nodes)
            plan = self._plan(type_, selection)
            return None if deferred or plan.others else _optional(plan.read)
        return None


async def _joined(results: dict[str, Any], further: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    results.update(await further)
    return results


def _required(complete: Read) -> Read:
    def required(value: Any) -> Any:
        if value is None:
            raise TypeError
        return complete(value)

    return required


def _optional(complete: Read) -> Read:
    return lambda value: None if value is None else complete(value)


def _leaf(name: str, coerce: Read) -> Read:
    is_text = name in {"String", "ID"}

    def leaf(value: Any) -> Any:
        if value is None or (is_text and type(value) is str):
            return value
        found = coerce(value)
        if found is None or found is Undefined:
            raise TypeError
        return found

    return leaf


def mark_attributes(schema: GraphQLSchema) -> None:
    """Finds the fields without a resolver: each is an attribute of its source."""
    for type_ in schema.type_map.values():
        if is_object_type(type_):
            for field in type_.fields.values():
                definition = field.extensions.get("strawberry-definition")
                if isinstance(definition, StrawberryField) and definition.is_basic_field:
                    field.extensions[_ATTRIBUTE] = definition.python_name
