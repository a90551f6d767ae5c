"""Refresh tokens: the family, the generation, and a keyed hash over both.

A token is not stored, not even as a digest: who has the key can make it again. So the successor
of a token is the same for all who refresh at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tenantry.keys.vault import Vault

PURPOSE = "refresh token"
_FORM = re.compile(r"([0-9a-f]{32})\.([1-9][0-9]{0,8})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a genuine refresh token names."""

    family_id: str
    generation: int


def render(vault: Vault, tenant_id: str, family_id: str, generation: int) -> str:
    digest = vault.digest(_hashed(tenant_id, family_id, generation), PURPOSE)
    return f"{family_id}.{generation}.{digest}"


def read(vault: Vault, tenant_id: str, unverified_token: str) -> RefreshToken | None:
    """None for anything that `render` did not make for this tenant."""
    match = _FORM.fullmatch(unverified_token)
    if match is None:
        return None
    family_id, generation, digest = match[1], int(match[2]), match[3]
    if not vault.matches(_hashed(tenant_id, family_id, generation), digest, PURPOSE):
        return None
    return RefreshToken(family_id, generation)


def _hashed(tenant_id: str, family_id: str, generation: int) -> str:
    return f"{tenant_id}.{family_id}.{generation}"
