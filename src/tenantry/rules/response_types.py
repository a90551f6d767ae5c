"""RFC 7591 §2.1: how response types and grant types go together.

Law: each part of an answer needs the grant type that makes such parts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ApplicationFacts, GrantType, ResponseTypeName

CODE = "code"
_BY_PARTS = {name.parts: name for name in ResponseTypeName}


def named(value: str) -> ResponseTypeName | None:
    """RFC 6749 §3.1.1: "the order of values does not matter". None for what is not supported."""
    words = value.split(" ")
    parts = frozenset(words)
    return _BY_PARTS.get(parts) if len(words) == len(parts) else None


def response_type(value: Any, path: tuple[str, ...]) -> ResponseTypeName:
    found = named(value)
    if found is None:
        names = ", ".join(ResponseTypeName)
        raise DomainError(ErrorCode.INVALID, f"Must be one of: {names}.", *path)
    return found


def grants_of(parts: Collection[str]) -> tuple[GrantType, ...]:
    """The grant types that make these parts."""
    needed = [GrantType.AUTHORIZATION_CODE] if CODE in parts else []
    if any(part != CODE for part in parts):
        needed.append(GrantType.IMPLICIT)
    return tuple(needed)


def is_registered(application: ApplicationFacts, parts: frozenset[str]) -> bool:
    """An application that registered none may use whatever its grant types allow."""
    return not application.response_types or _BY_PARTS.get(parts) in application.response_types


def require_grants(values: Mapping[str, Any]) -> None:
    """§2.1: a client cannot "register itself into an inconsistent state"."""
    for name in values["response_types"]:
        for grant_type in grants_of(name.parts):
            if grant_type not in values["grant_types"]:
                raise DomainError(
                    ErrorCode.NOT_ALLOWED,
                    f"The response type {name.value} needs the grant type {grant_type.value}.",
                    "response_types",
                )
