"""RFC 9449 §4.2: a DPoP proof, a JWT that is signed by the very key that it carries.

Law: the key vouches for nothing but its own possession; nothing else in the header is followed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from tenantry.keys.client_keys import (
    BadSignature,
    ClientKey,
    import_public_key,
    read_jwt,
    verify_with_keys,
)

ALGORITHMS = ("ES256", "PS256", "EdDSA")
TYPE = "dpop+jwt"
MAX_PROOF = 8_192
"""Characters: what a proof by an RSA key of 8192 bits needs, and then some."""


@dataclass(frozen=True, slots=True)
class SignedProof:
    """The claims of a proof, and the thumbprint of the key that signed them (RFC 7638)."""

    jkt: str
    claims: Mapping[str, Any]


def verify_proof(unverified_proof: str) -> SignedProof:
    """§4.3 (2) to (7), but for the claims. BadSignature says what is wrong."""
    if len(unverified_proof) > MAX_PROOF:
        raise BadSignature("too long")
    message = read_jwt(unverified_proof)
    # §4.3 (4), and RFC 8725 §3.11: no other JWT of the key's owner can stand in for a proof.
    if message.typ != TYPE:
        raise BadSignature("of another typ")
    jwk = message.unverified_header.get("jwk")
    known = _key_of(json.dumps(jwk, sort_keys=True)) if isinstance(jwk, dict) else None
    # §4.3 (7): "the jwk JOSE Header Parameter does not contain a private key".
    if known is None:
        raise BadSignature("without a jwk that is one public key")
    key, jkt = known
    return SignedProof(jkt, verify_with_keys(message, (key,), ALGORITHMS))


@lru_cache(maxsize=4096)
def _key_of(jwk: str) -> tuple[ClientKey, str] | None:
    """Kept, since an application signs many proofs with one key."""
    key = import_public_key(json.loads(jwk))
    return (replace(key, kid=None, x5t_s256=None), key.key.thumbprint()) if key else None
