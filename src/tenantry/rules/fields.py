"""How one field of a command is checked: tables of small functions, used by every noun.

A check takes a value and the path of its field, and returns the value to store or raises
`DomainError`. In a table of checks a field that is not listed cannot be set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from tenantry.core.errors import DomainError, ErrorCode

Check = Callable[[Any, tuple[str, ...]], Any]
LIMITS: dict[Check, dict[str, Any]] = {}
"""What a check demands besides the type, in the words of JSON Schema."""
# With the line separators, and what turns the order of the characters around (UAX #9 §2).
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_EMAIL = re.compile(r"[^@\s\x00-\x1f<>]{1,64}@[^@\s\x00-\x1f<>]{1,255}")
MAX_URL = 2048


@dataclass(frozen=True, slots=True)
class Field:
    """A check, and what `null` means: the default, or that the field must have a value."""

    check: Check
    default: Any = ...

    @property
    def clearable(self) -> bool:
        return self.default is not ...


Fields = Mapping[str, Field]


def checked(fields: Fields, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values to store: each given one checked, each cleared one at its default."""
    result: dict[str, Any] = {}
    for name, value in values.items():
        field = fields[name]
        if value is not None:
            result[name] = field.check(value, (name,))
        elif field.clearable:
            result[name] = field.default
        else:
            raise DomainError(ErrorCode.REQUIRED, "This field cannot be cleared.", name)
    return result


def with_defaults(fields: Fields, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a new object stores: the checked values over every default."""
    given = checked(fields, values)
    missing = [name for name, field in fields.items() if not field.clearable]
    for name in missing:
        if name not in given:
            raise DomainError(ErrorCode.REQUIRED, "This field is required.", name)
    return {name: given.get(name, field.default) for name, field in fields.items()}


def clean_text(value: str, path: tuple[str, ...], maximum: int, minimum: int = 0) -> str:
    """Text without control characters and lone surrogates, trimmed, within its length."""
    value = value.strip()
    if _CONTROL.search(value) or not encodable(value):
        raise DomainError(ErrorCode.INVALID, "Control characters are not allowed.", *path)
    if len(value) > maximum:
        raise DomainError(ErrorCode.TOO_LONG, f"At most {maximum} characters.", *path)
    if len(value) < minimum:
        raise DomainError(ErrorCode.REQUIRED, f"At least {minimum} characters.", *path)
    return value


def encodable(value: str) -> bool:
    """Whether every character can be stored: no lone surrogate, no NUL."""
    try:
        return "\x00" not in value and value.encode() is not None
    except UnicodeEncodeError:
        return False


def text(maximum: int, minimum: int = 0, forbidden: str = "") -> Check:
    def check(value: Any, path: tuple[str, ...]) -> str:
        result = clean_text(value, path, maximum, minimum)
        if any(character in result for character in forbidden):
            raise DomainError(
                ErrorCode.INVALID, f"These characters are not allowed: {forbidden}", *path
            )
        return result

    LIMITS[check] = {"maxLength": maximum, **({"minLength": minimum} if minimum else {})}
    return check


def matching(pattern: re.Pattern[str], what: str, maximum: int) -> Check:
    """Text of one form, which `what` names."""

    def check(value: Any, path: tuple[str, ...]) -> str:
        result = clean_text(value, path, maximum, 1)
        if not pattern.fullmatch(result):
            raise DomainError(ErrorCode.INVALID, f"Must be {what}.", *path)
        return result

    return check


def flag(value: Any, path: tuple[str, ...]) -> bool:
    return bool(value)


def integer(minimum: int, maximum: int) -> Check:
    def check(value: Any, path: tuple[str, ...]) -> int:
        if not minimum <= value <= maximum:
            raise DomainError(
                ErrorCode.OUT_OF_RANGE, f"Must be from {minimum} to {maximum}.", *path
            )
        return int(value)

    LIMITS[check] = {"minimum": minimum, "maximum": maximum}
    return check


def one_of(choices: type[StrEnum], allowed: Iterable[StrEnum] | None = None) -> Check:
    permitted = tuple(allowed) if allowed is not None else tuple(choices)

    def check(value: Any, path: tuple[str, ...]) -> StrEnum:
        if value not in permitted:
            names = ", ".join(permitted)
            raise DomainError(ErrorCode.INVALID, f"Must be one of: {names}.", *path)
        return choices(value)

    LIMITS[check] = {"enum": [choice.name for choice in permitted]}
    return check


def list_of(item: Check, maximum: int) -> Check:
    """A list without repetitions, in the order that was given."""

    def check(value: Sequence[Any], path: tuple[str, ...]) -> tuple[Any, ...]:
        if len(value) > maximum:
            raise DomainError(ErrorCode.TOO_MANY, f"At most {maximum} entries.", *path)
        items = [item(entry, (*path, str(index))) for index, entry in enumerate(value)]
        return tuple(dict.fromkeys(items))

    LIMITS[check] = {"maxItems": maximum}
    return check


def email(value: Any, path: tuple[str, ...]) -> str:
    result = clean_text(value, path, 254)
    if not _EMAIL.fullmatch(result):
        raise DomainError(ErrorCode.INVALID, "Must be an email address.", *path)
    return result


def normalize_email(value: str) -> str:
    """What two spellings of one address have in common: its case is ignored."""
    return value.strip().casefold()


def web_url(value: Any, path: tuple[str, ...]) -> str:
    """An absolute http or https URL without credentials."""
    result = clean_text(value, path, MAX_URL, 1)
    parts = split_url(result)
    if parts is None or parts.scheme not in {"http", "https"}:
        raise DomainError(ErrorCode.INVALID, "Must be an absolute http or https URL.", *path)
    return result


def origin(value: Any, path: tuple[str, ...]) -> str:
    """A scheme, a host and maybe a port: no path, query or fragment."""
    result = web_url(value, path).rstrip("/")
    parts = urlsplit(result)
    if parts.path or parts.query or "#" in result or "?" in result:
        raise DomainError(
            ErrorCode.INVALID, "Must be an origin, without a path, query or fragment.", *path
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


@dataclass(frozen=True, slots=True)
class UrlParts:
    scheme: str
    host: str
    port: int | None
    path: str
    query: str
    has_fragment: bool


def split_url(value: str) -> UrlParts | None:
    """The parts of an absolute URL; None where it has no host, has credentials or is odd."""
    if not value.isascii() or not value.isprintable() or " " in value or "\\" in value:
        return None
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not parts.scheme or not host or "@" in parts.netloc:
        return None
    return UrlParts(parts.scheme, host, port, parts.path, parts.query, "#" in value)
