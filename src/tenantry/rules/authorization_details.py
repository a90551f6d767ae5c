"""RFC 9396 §2 and §6: which authorization details can be asked for, and which are within others.

Law: what passes is small, shallow and printable, and survives every JSON reader unchanged.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from tenantry.core.authorization_details import (
    AuthorizationDetailsType,
    ConsentPolicy,
    Detail,
    Details,
)
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.rules.fields import Field, clean_text, flag, list_of, one_of

MAX_BYTES = 5 * 1024
MAX_ENTRIES = 5
MAX_PROPERTIES = 10
MAX_NAME = 255
MAX_VALUE = 255
MAX_LEVELS = 5
MAX_TYPES = 100
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
# Line breaks and tabs apart: people read the values, and no column holds NUL.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# §2.2: the common fields that are lists; fewer of their members are less.
_LISTS = frozenset({"locations", "actions", "datatypes", "privileges"})


class MalformedDetails(Exception):
    """What is wrong, for the developer."""


def parse(text: str) -> Details:
    """The objects of an `authorization_details` parameter."""
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise MalformedDetails(f"It has at most {MAX_BYTES} bytes.")
    try:
        value = json.loads(
            text, object_pairs_hook=_distinct, parse_constant=_no_number, parse_float=_finite
        )
    except (ValueError, RecursionError):
        raise MalformedDetails("It is not valid JSON.") from None
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise MalformedDetails("It is not an array of objects.")
    if not value:
        raise MalformedDetails("It is empty.")
    if len(value) > MAX_ENTRIES:
        raise MalformedDetails(f"It has at most {MAX_ENTRIES} entries.")
    for entry in value:
        # §2: "type: An identifier for the authorization details type as a string. […] This field
        # is REQUIRED."
        if not isinstance(entry.get("type"), str) or not entry["type"]:
            raise MalformedDetails("Each entry has a type.")
        _require_object(entry, 1)
    return tuple(value)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _require_object(value: dict[str, Any], level: int) -> None:
    if level > MAX_LEVELS:
        raise MalformedDetails(f"Its objects are nested {MAX_LEVELS} deep at most.")
    if len(value) > MAX_PROPERTIES:
        raise MalformedDetails(f"An object has at most {MAX_PROPERTIES} properties.")
    for name, member in value.items():
        if len(name) > MAX_NAME:
            raise MalformedDetails(f"A property name has at most {MAX_NAME} characters.")
        if not _NAME.fullmatch(name):
            raise MalformedDetails("A property name has letters, digits, _ . and - only.")
        _require_value(member, level)


def _require_value(value: Any, level: int) -> None:
    """An array inside of an array counts as a level, as an object does."""
    if isinstance(value, dict):
        _require_object(value, level + 1)
    elif isinstance(value, list):
        for member in value:
            if isinstance(member, list) and level >= MAX_LEVELS:
                raise MalformedDetails(f"Its objects are nested {MAX_LEVELS} deep at most.")
            _require_value(member, level + 1 if isinstance(member, list) else level)
    elif isinstance(value, str):
        if len(value) > MAX_VALUE:
            raise MalformedDetails(f"A value has at most {MAX_VALUE} characters.")
        if _CONTROL.search(value) or (not value.isprintable() and _has_surrogate(value)):
            raise MalformedDetails("A value has a character that cannot be shown.")
    elif len(json.dumps(value)) > MAX_VALUE:
        raise MalformedDetails(f"A value has at most {MAX_VALUE} characters.")


def _has_surrogate(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)


def exceeding(asked: Details, granted: Details) -> Detail | None:
    """§6: the first that was asked for and is not within what was granted."""
    return next(
        (one for one in asked if not any(_is_within(one, whole) for whole in granted)), None
    )


def of_types(details: Details, types: Sequence[str]) -> Details:
    """Those whose type is among `types`."""
    return tuple(detail for detail in details if detail["type"] in types)


def _is_within(asked: Detail, granted: Detail) -> bool:
    """The same, or with fewer members in a list that is a common field."""
    return asked.keys() == granted.keys() and all(
        _same(value, granted[name]) or (name in _LISTS and _is_part(value, granted[name]))
        for name, value in asked.items()
    )


def _is_part(asked: Any, granted: Any) -> bool:
    # An empty list could mean anything, so it is not less than another.
    if not isinstance(asked, list) or not isinstance(granted, list) or not asked:
        return False
    return {_written(one) for one in asked} <= {_written(one) for one in granted}


def _same(one: Any, other: Any) -> bool:
    return _written(one) == _written(other)


def _written(value: Any) -> str:
    # As text, because for Python 1 equals true.
    return json.dumps(value, sort_keys=True)


def detail_type(value: Any, path: tuple[str, ...]) -> str:
    """The name of a type, compared exactly: a word or a URI."""
    result = clean_text(value, path, MAX_VALUE, 1)
    if result != value or not result.isascii() or not result.isprintable() or " " in result:
        raise DomainError(ErrorCode.INVALID, "A type has visible ASCII characters only.", *path)
    return result


def detail_types(
    value: Sequence[AuthorizationDetailsType], path: tuple[str, ...]
) -> tuple[AuthorizationDetailsType, ...]:
    """The types of an API, each once."""
    if len(value) > MAX_TYPES:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_TYPES} types.", *path)
    names = [detail_type(one.type, (*path, str(i), "type")) for i, one in enumerate(value)]
    return tuple(AuthorizationDetailsType(name) for name in dict.fromkeys(names))


TYPE_NAMES = Field(list_of(detail_type, MAX_TYPES), ())
TYPES = Field(detail_types, ())
ONLY_PUSHED = Field(flag, True)
POLICY = Field(one_of(ConsentPolicy), ConsentPolicy.STANDARD)
