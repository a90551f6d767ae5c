"""The one room where scopes are parsed, cut and checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode

# RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,280}")
OIDC_SCOPES = ("openid", "profile", "email", "address", "phone", "offline_access")
MAX_REGISTERED = 4096
# Names that an API cannot define, because they have a meaning of their own.
RESERVED = frozenset(
    {
        "address",
        "created_at",
        "email",
        "email_verified",
        "family_name",
        "given_name",
        "identities",
        "name",
        "nickname",
        "offline_access",
        "openid",
        "phone",
        "picture",
        "profile",
    }
)


class MalformedScope(ValueError):
    """The parameter is not a list of scope tokens (RFC 6749 §3.3)."""


def parse(value: str) -> tuple[str, ...]:
    """The tokens of a `scope` parameter, each once, in order."""
    tokens = tuple(dict.fromkeys(token for token in value.split(" ") if token))
    if not all(SCOPE_TOKEN.fullmatch(token) for token in tokens):
        raise MalformedScope
    return tokens


def render(scopes: Iterable[str]) -> str:
    return " ".join(scopes)


def cut(requested: Iterable[str], allowed: Iterable[str]) -> tuple[str, ...]:
    """What was requested and is allowed, in the order of the request."""
    permitted = set(allowed)
    return tuple(scope for scope in requested if scope in permitted)


def scope_list(value: Any, path: tuple[str, ...]) -> str:
    """RFC 7591 §2: the scopes that an application may ask for, with spaces between."""
    try:
        tokens = parse(value) if len(value) <= MAX_REGISTERED else ()
    except MalformedScope:
        tokens = ()
    if not tokens:
        raise DomainError(
            ErrorCode.INVALID,
            f"Must be scopes with spaces between, at most {MAX_REGISTERED} characters.",
            *path,
        )
    return render(tokens)


def within_registered(requested: Iterable[str], registered: str | None) -> tuple[str, ...]:
    """What was requested, cut by the application's registered scopes if it has any."""
    return tuple(requested) if registered is None else cut(requested, parse(registered))
