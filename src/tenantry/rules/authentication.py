"""How a person was authenticated: the methods of RFC 8176, and the contexts that they satisfy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import UserFacts
from tenantry.rules.fields import clean_text

PASSWORD = "pwd"
"""The `amr` value of a password (RFC 8176 §2)."""
_METHODS = """
face fpt geo hwk iris kba mca mfa otp pin pop pwd rba retina sc sms swk tel user vbm wia
"""
METHODS = frozenset(_METHODS.split())
"""The values that RFC 8176 §2 registers."""
_SAML = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
PASSWORD_CONTEXT = f"{_SAML}Password"
PROTECTED_PASSWORD_CONTEXT = f"{_SAML}PasswordProtectedTransport"


def contexts_of(amr: Sequence[str], *, protected: bool) -> tuple[str, ...]:
    """The authentication context classes that a sign-in satisfies, the strongest first.

    `protected` says whether the sign-in went over TLS (SAML 2.0 Authentication Context §3.4).
    """
    if PASSWORD not in amr:
        return ()
    return (PROTECTED_PASSWORD_CONTEXT, PASSWORD_CONTEXT) if protected else (PASSWORD_CONTEXT,)


def choose_context(satisfied: Sequence[str], asked: Sequence[str]) -> str | None:
    """The `acr` to report: the first that was asked for and is satisfied, else the strongest."""
    for value in asked:
        if value in satisfied:
            return value
    return satisfied[0] if satisfied else None


def has_new_password(user: UserFacts, signed_in_at: datetime) -> bool:
    """Whether a sign-in was ended by a new password."""
    return user.password_changed_at is not None and user.password_changed_at > signed_in_at


def acr_value(value: Any, path: tuple[str, ...]) -> str:
    """A name of a context: visible ASCII, since `acr_values` separates by spaces."""
    result = clean_text(value, path, 200, 1)
    if not result.isascii() or not result.isprintable() or " " in result:
        raise DomainError(ErrorCode.INVALID, "Must be visible ASCII without spaces.", *path)
    return result


def require_methods(amr: Sequence[str]) -> tuple[str, ...]:
    """How somebody else says that a person was authenticated."""
    for index, method in enumerate(amr):
        if method not in METHODS:
            text = f"Must be among: {', '.join(sorted(METHODS))}."
            raise DomainError(ErrorCode.INVALID, text, "amr", str(index))
    return tuple(dict.fromkeys(amr))
