"""Rows to facts and back: enums, tuples and small objects, by the types of the dataclass."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar, cast

T = TypeVar("T")
_Convert = Callable[[Any], Any]
_Read = Callable[[Mapping[Any, Any]], tuple[Any, ...]]


def to_facts(cls: type[T], row: Mapping[Any, Any]) -> T:
    """A frozen dataclass from a row; columns that it does not name are left out."""
    names, read, conversions = _reading(cast("Hashable", cls))
    values = dict(zip(names, read(row), strict=True))
    for name, convert in conversions:
        values[name] = convert(values[name])
    return cls(**values)


def to_row(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored for values of facts."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        items = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: _plain(item) for name, item in items.items() if item is not None}
    return value


@cache
def _converters(cls: Any) -> tuple[tuple[str, _Convert], ...]:
    hints = typing.get_type_hints(cls)
    return tuple((field.name, _converter(hints[field.name])) for field in fields(cls))


@cache
def _reading(cls: Any) -> tuple[tuple[str, ...], _Read, tuple[tuple[str, _Convert], ...]]:
    """The fields, what reads them in one go, and what is made of some of them."""
    converters = _converters(cls)
    names = tuple(name for name, _ in converters)
    conversions = tuple(item for item in converters if item[1] is not _same)
    return names, itemgetter(*names), conversions


def _small(cls: Any, value: Mapping[str, Any]) -> Any:
    """A small object: what has no value was not stored."""
    converters = _converters(cls)
    return cls(**{name: convert(value[name]) for name, convert in converters if name in value})


def _same(value: Any) -> Any:
    return value


def _converter(hint: Any) -> _Convert:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        inner = _converter(next(item for item in arguments if item is not type(None)))
        if inner is _same:
            return _same
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        item = _converter(arguments[0])
        return tuple if item is _same else lambda value: tuple(map(item, value))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {member.value: member for member in hint}.__getitem__
    if is_dataclass(hint):
        return lambda value: _small(hint, value)
    return _same
