"""Scopes of fields: one extension checks them and writes the directive, so they agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.schema_directive import Location
from strawberry.types.base import StrawberryOptional, get_object_definition
from strawberry.types.field import StrawberryField

from tenantry.management.context import Info, ManagementContext
from tenantry.management.errors import request_error

Alternatives = tuple[tuple[str, ...], ...]


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.INPUT_FIELD_DEFINITION],
    name="requiresScopes",
    description=(
        "The scopes that the access token needs. Without them a field is null and an error with "
        "the code FORBIDDEN names it; an input field that carries this directive needs the "
        "scopes only where it is sent."
    ),
)
class ScopesDirective:
    scopes: list[list[str]] = strawberry.field(
        description="Any one of the inner lists is enough; of an inner list every scope is needed."
    )


def _alternatives(scopes: Iterable[str | tuple[str, ...]]) -> Alternatives:
    return tuple((item,) if isinstance(item, str) else item for item in scopes)


class RequiresScopes(FieldExtension):
    """Guards a field. Each argument is an alternative: one scope, or a tuple of scopes."""

    def __init__(self, *scopes: str | tuple[str, ...]) -> None:
        self.alternatives = _alternatives(scopes)
        self._directive = ScopesDirective(scopes=[list(inner) for inner in self.alternatives])

    def apply(self, field: StrawberryField) -> None:
        # A missing scope takes the field alone only where the field may be null.
        if not isinstance(field.type, StrawberryOptional):
            raise TypeError(f"{field.python_name} has @requiresScopes and is not nullable")
        if self._directive not in field.directives:
            field.directives = [*field.directives, self._directive]

    def resolve(self, next_: Callable[..., Any], source: Any, info: Info, **kwargs: Any) -> Any:
        require_scopes(info.context, self.alternatives)
        return next_(source, info, **kwargs)

    async def resolve_async(
        self, next_: Callable[..., Any], source: Any, info: Info, **kwargs: Any
    ) -> Any:
        require_scopes(info.context, self.alternatives)
        return await next_(source, info, **kwargs)


def input_field_scopes(*scopes: str) -> list[object]:
    """The directive for an input field that needs more than its mutation does."""
    return [ScopesDirective(scopes=[list(scopes)])]


def require_scopes(context: ManagementContext, alternatives: Alternatives) -> None:
    held = context.administrator.scopes
    if not any(held.issuperset(needed) for needed in alternatives):
        # What to ask for: the alternative of which the least is missing.
        nearest = min(alternatives, key=lambda needed: len(set(needed) - held))
        raise request_error(
            "FORBIDDEN",
            f"This needs the scope {' and '.join(nearest)}.",
            requiredScopes=list(nearest),
        )


def require_input_scopes(context: ManagementContext, input: Any) -> None:
    """Checks the directives of the input fields that were sent."""
    for _, alternatives in sent_scopes(input):
        require_scopes(context, alternatives)


def sent_scopes(input: Any) -> Iterator[tuple[str, Alternatives]]:
    """The input fields that were sent and have scopes of their own."""
    definition = get_object_definition(input, strict=True)
    for field in definition.fields:
        for directive in field.directives:
            if (
                isinstance(directive, ScopesDirective)
                and getattr(input, field.python_name) is not strawberry.UNSET
            ):
                yield field.python_name, tuple(tuple(inner) for inner in directive.scopes)
