"""Facts as a document shows them, and back: names in camelCase, enums by the schema's names."""

from __future__ import annotations

import types
import typing
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, cast

from tenantry.core.errors import DomainError, ErrorCode

Path = tuple[str, ...]
_MAX_INTEGER = 2**53
_SIMPLE = frozenset({bool, dict, float, int, str, type(None)})


@cache
def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


@cache
def hints_of(cls: Any) -> Mapping[str, Any]:
    return typing.get_type_hints(cls)


def plain(value: Any) -> Any:
    """A value of facts as JSON has it."""
    if type(value) in _SIMPLE:
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {camel(field.name): plain(getattr(value, field.name)) for field in fields(value)}
    return value


def without_none(hint: Any) -> Any:
    """The type that a value has where it is there."""
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        return next(item for item in typing.get_args(hint) if item is not type(None))
    return hint


def typed(hint: Any, value: Any, path: Path) -> Any:
    """A value of a document as facts have it; refused where it has another type."""
    hint = without_none(hint)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise _wrong("a list", path)
        item = typing.get_args(hint)[0]
        return tuple(typed(item, one, (*path, str(i))) for i, one in enumerate(value))
    if typing.get_origin(hint) is dict or hint is dict:
        if not isinstance(value, dict):
            raise _wrong("a mapping", path)
        return value
    if isinstance(hint, type) and issubclass(hint, Enum):
        names = hint.__members__
        if not isinstance(value, str) or value not in names:
            raise _wrong(f"one of: {', '.join(names)}", path)
        return names[value]
    if hint is datetime:
        return _moment(value, path)
    if is_dataclass(hint):
        return _object(hint, value, path)
    return _scalar(hint, value, path)


def _scalar(hint: Any, value: Any, path: Path) -> Any:
    if hint is bool and isinstance(value, bool):
        return value
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > _MAX_INTEGER:
            raise DomainError(ErrorCode.OUT_OF_RANGE, "The number is too large.", *path)
        return value
    if hint is str and isinstance(value, str):
        return value
    names = {bool: "true or false", int: "a whole number", str: "a text"}
    raise _wrong(names[hint], path)


def _moment(value: Any, path: Path) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise _wrong("a time with its offset, as in 2030-01-31T08:00:00Z", path)


def _object(cls: Any, value: Any, path: Path) -> Any:
    if not isinstance(value, dict):
        raise _wrong("a mapping", path)
    hints = hints_of(cast("Hashable", cls))
    names = {camel(field.name): field for field in fields(cls)}
    require_known(value, names, path)
    given: dict[str, Any] = {}
    for name, field in names.items():
        if value.get(name) is not None:
            given[field.name] = typed(hints[field.name], value[name], (*path, name))
        elif field.default is MISSING:
            raise DomainError(ErrorCode.REQUIRED, "This member is required.", *path, name)
    return cls(**given)


def require_known(value: Mapping[str, Any], names: Mapping[str, Any], path: Path) -> None:
    for name in value:
        if name not in names:
            raise DomainError(ErrorCode.INVALID, "There is no such member.", *path, name)


def _wrong(what: str, path: Path) -> DomainError:
    return DomainError(ErrorCode.INVALID, f"Must be {what}.", *path)
