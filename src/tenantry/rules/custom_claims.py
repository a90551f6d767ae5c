"""Which custom claims the declared mappings add to a token."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.facts import ClaimMapping, ClaimSource, ClaimTarget

MAX_CUSTOM_BYTES = 4_096
"""What the custom claims of one token may take together, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSources:
    """What mappings may read. `roles` are names, `permissions` those at the token's API."""

    user_metadata: Mapping[str, Any]
    app_metadata: Mapping[str, Any]
    application_metadata: Mapping[str, Any]
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DroppedClaim:
    """A custom claim that was left out, and why."""

    claim: str
    reason: str


@dataclass(frozen=True, slots=True)
class CustomClaims:
    """What is added to one token."""

    claims: dict[str, Any]
    dropped: tuple[DroppedClaim, ...] = ()


def custom(
    mappings: Iterable[ClaimMapping],
    sources: ClaimSources,
    target: ClaimTarget,
    taken: Collection[str],
) -> CustomClaims:
    """The claims that mappings add to a token; a name that it has already stays as it is.

    Of two mappings with one name the first counts. What has no value is left out.
    """
    claims: dict[str, Any] = {}
    dropped: list[DroppedClaim] = []
    room = MAX_CUSTOM_BYTES
    for mapping in mappings:
        if target not in mapping.tokens:
            continue
        value = _mapped(mapping, sources)
        if value is None:
            continue
        if mapping.claim in taken or mapping.claim in claims:
            dropped.append(DroppedClaim(mapping.claim, "The token has a claim of this name."))
            continue
        size = len(json.dumps({mapping.claim: value}, ensure_ascii=False).encode())
        if size > room:
            dropped.append(DroppedClaim(mapping.claim, "The token would be too large."))
            continue
        room -= size
        claims[mapping.claim] = value
    return CustomClaims(claims, tuple(dropped))


def _mapped(mapping: ClaimMapping, sources: ClaimSources) -> Any:
    if mapping.source is ClaimSource.ROLES:
        return list(sources.roles)
    if mapping.source is ClaimSource.PERMISSIONS:
        return list(sources.permissions)
    value: Any = getattr(sources, mapping.source.value)
    for key in mapping.path.split(".") if mapping.path else ():
        value = value.get(key) if isinstance(value, dict) else None
    return value
