"""What an ID token says (OpenID Connect Core §2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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
    auth_time: int
    session_id: str
    nonce: str | None = None
    access_token: str | None = None
    profile: Mapping[str, Any] = field(default_factory=dict)


def id_token_claims(content: IdTokenContent, alg: SigningAlgorithm) -> dict[str, Any]:
    claims: dict[str, Any] = {
        **content.profile,
        "iss": content.issuer,
        "sub": content.subject,
        "aud": content.client_id,
        "iat": content.issued_at,
        "exp": content.issued_at + content.lifetime,
        "auth_time": content.auth_time,
        "sid": content.session_id,
    }
    if content.nonce is not None:
        claims["nonce"] = content.nonce
    if content.access_token is not None:
        claims["at_hash"] = half_hash(content.access_token, alg)
    return claims


def half_hash(value: str, alg: SigningAlgorithm) -> str:
    """The left half of the hash of a token (§3.1.3.6): SHA-512 for EdDSA with Ed25519."""
    hashed = hashlib.sha512 if alg is SigningAlgorithm.EDDSA else hashlib.sha256
    digest = hashed(value.encode()).digest()
    return base64url(digest[: len(digest) // 2])
