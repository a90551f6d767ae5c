"""What published types share: the node, the stored object, and how facts fill a type."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast

import strawberry

T = TypeVar("T")


@strawberry.interface(description="An object with an identifier of its own.")
class Node:
    id: strawberry.ID = strawberry.field(
        description="Names the object in every query and mutation. Opaque; never changes."
    )


@strawberry.type
class StoredObject(Node):
    created_at: datetime = strawberry.field(description="When the object was made.")
    updated_at: datetime = strawberry.field(description="When the object was last changed.")
    revision: int = strawberry.field(
        description="Counts the changes, from 1. Send it as `expectedRevision` to lose no update."
    )


def described(table: Mapping[str, str], name: str) -> Any:
    """A field of a type, with its description from the noun's table."""
    return strawberry.field(description=table[name])


def setting(table: Mapping[str, str], name: str, **options: Any) -> Any:
    """An input field that may be left out."""
    return strawberry.field(description=table[name], default=strawberry.UNSET, **options)


def publish(cls: type[T], facts: object, **others: Any) -> T:
    """A published object: each field that `others` does not give is read from the facts.

    The class is the whitelist. A field without a source is an AttributeError at once.
    """
    values = {
        name: _listed(getattr(facts, name))
        for name in _field_names(cast("Hashable", cls))
        if name not in others
    }
    return cls(**values, **others)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@cache
def _field_names(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls) if field.init)
