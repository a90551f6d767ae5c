"""What an ID token says (OpenID Connect Core §2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tenantry.core.facts import SigningAlgorithm
from tenantry.keys.signing import base64url


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTokenContent:
    """Times are in epoch seconds, the lifetime in seconds. `profile` are released claims."""

    issuer: str
    subject: str
    client_id: str
    issued_at: int
    lifetime: int
    auth_time: int | None
    session_id: str
    nonce: str | None = None
    access_token: str | None = None
    code: str | None = None
    state: str | None = None
    acr: str | None = None
    amr: Sequence[str] = ()
    profile: Mapping[str, Any] = field(default_factory=dict)
    organization: Mapping[str, str] = field(default_factory=dict)


def id_token_claims(content: IdTokenContent, alg: SigningAlgorithm) -> dict[str, Any]:
    claims: dict[str, Any] = {
        **content.profile,
        **content.organization,
        "iss": content.issuer,
        "sub": content.subject,
        "aud": content.client_id,
        "iat": content.issued_at,
        "exp": content.issued_at + content.lifetime,
    }
    if content.session_id:
        claims["sid"] = content.session_id
    if content.nonce is not None:
        claims["nonce"] = content.nonce
    if content.auth_time is not None:
        claims["auth_time"] = content.auth_time
    if content.acr is not None:
        claims["acr"] = content.acr
    if content.amr:
        claims["amr"] = list(content.amr)
    # §3.3.2.11, and §5.1 of the Financial-grade API for `s_hash`.
    hashed = {"at_hash": content.access_token, "c_hash": content.code, "s_hash": content.state}
    claims |= {name: half_hash(value, alg) for name, value in hashed.items() if value is not None}
    return claims


def half_hash(value: str, alg: SigningAlgorithm) -> str:
    """The left half of the hash of a token (§3.1.3.6): SHA-512 for EdDSA with Ed25519."""
    hashed = hashlib.sha512 if alg is SigningAlgorithm.EDDSA else hashlib.sha256
    digest = hashed(value.encode()).digest()
    return base64url(digest[: len(digest) // 2])
