"""What published types share: the node, the stored object, and how facts fill a type."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar, cast

import strawberry
from strawberry.types.base import StrawberryList, StrawberryOptional

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
    source = _source(cast("Hashable", cls), frozenset(others))
    others |= zip(source.names, source.read(facts), strict=True)
    for name in source.lists:
        if others[name] is not None:
            others[name] = list(others[name])
    # As the class would do it, but for its signature, which is long: lists have many objects.
    made = object.__new__(cls)
    made.__dict__.update(others)
    return made


class _Source(NamedTuple):
    """The fields that are read from the facts, what reads them in one go, and the lists of them."""

    names: tuple[str, ...]
    read: Callable[[object], tuple[Any, ...]]
    lists: tuple[str, ...]


@cache
def _source(cls: Any, others: frozenset[str]) -> _Source:
    own = [field for field in fields(cls) if field.init]
    if unknown := others - {field.name for field in own}:
        raise TypeError(f"{cls.__name__} has no {', '.join(unknown)}")
    names = tuple(field.name for field in own if field.name not in others)
    lists = tuple(field.name for field in own if field.name in names and _is_list(field.type))
    if len(names) < 2:
        return _Source(names, lambda facts: tuple(getattr(facts, name) for name in names), lists)
    return _Source(names, attrgetter(*names), lists)


def _is_list(type_: object) -> bool:
    inner = type_.of_type if isinstance(type_, StrawberryOptional) else type_
    return isinstance(inner, StrawberryList)
