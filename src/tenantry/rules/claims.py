"""Which claims a scope releases (OpenID Connect Core §5.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.facts import UserFacts

CLAIMS_OF_SCOPE: Mapping[str, tuple[str, ...]] = {
    "profile": (
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
_VERIFIED_FLAGS = {"email_verified": "email", "phone_number_verified": "phone_number"}


def released(user: UserFacts, scopes: Iterable[str], *, oidc_conformant: bool) -> dict[str, Any]:
    """The claims of a user that these scopes release; what has no value is left out."""
    claims: dict[str, Any] = {"sub": user.id}
    for scope in scopes:
        for name in CLAIMS_OF_SCOPE.get(scope, ()):
            value = _value(user, name, oidc_conformant=oidc_conformant)
            if value is not None:
                claims[name] = value
    return claims


def requested(
    user: UserFacts, wanted: Mapping[str, Sequence[Any] | None], *, oidc_conformant: bool
) -> dict[str, Any]:
    """The claims that were asked for one by one (§5.5), where they have a wanted value."""
    claims: dict[str, Any] = {}
    for name, values in wanted.items():
        value = _value(user, name, oidc_conformant=oidc_conformant)
        if value is not None and (values is None or value in values):
            claims[name] = value
    return claims


def _value(user: UserFacts, name: str, *, oidc_conformant: bool) -> Any:
    if name == "updated_at":
        # A number is the specification's form; older applications expect text.
        return timestamp(user.updated_at) if oidc_conformant else user.updated_at.isoformat()
    if name in _VERIFIED_FLAGS and getattr(user, _VERIFIED_FLAGS[name]) is None:
        return None
    if name == "address":
        parts = asdict(user.address) if user.address else {}
        return {part: text for part, text in parts.items() if text is not None} or None
    return getattr(user, name)
