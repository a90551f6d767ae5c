"""What published types share: the node, the stored object, and how facts fill a type."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from operator import attrgetter
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
    names, values = _source(cast("Hashable", cls), frozenset(others))
    for name, value in zip(names, values(facts), strict=True):
        others[name] = list(value) if isinstance(value, tuple) else value
    return cls(**others)


@cache
def _source(
    cls: Any, others: frozenset[str]
) -> tuple[tuple[str, ...], Callable[[object], tuple[Any, ...]]]:
    """The fields that are read from the facts, and what reads them in one go."""
    names = tuple(field.name for field in fields(cls) if field.init and field.name not in others)
    if len(names) < 2:
        return names, lambda facts: tuple(getattr(facts, name) for name in names)
    return names, attrgetter(*names)
