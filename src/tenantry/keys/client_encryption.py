"""Nested JWTs for an application: signed, then encrypted to a key of its own (RFC 7519 §5.2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from tenantry.core.encryption import ContentEncryptionAlgorithm, MessageEncryptionAlgorithm
from tenantry.keys.client_keys import MAX_RSA_BITS, MIN_RSA_BITS

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class ClientEncryptionKey:
    """A public key that messages can be encrypted to; `alg` is the only way, None where any."""

    kid: str | None
    kty: str
    alg: str | None
    key: RSAKey | ECKey


@lru_cache(maxsize=1024)
def import_encryption_keys(jwks: str) -> tuple[ClientEncryptionKey, ...]:
    """The keys of a set that something can be encrypted to; others are left out."""
    try:
        members = json.loads(jwks)["keys"]
        return tuple(key for member in members if (key := _imported(member)) is not None)
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()


def _imported(member: Any) -> ClientEncryptionKey | None:
    if not isinstance(member, Mapping) or not _PRIVATE.isdisjoint(member):
        return None
    if member.get("use", "enc") != "enc" or member.get("kty") not in {"RSA", "EC"}:
        return None
    kind, names = (RSAKey, ("n", "e")) if member["kty"] == "RSA" else (ECKey, ("crv", "x", "y"))
    try:
        key = kind.import_key({"kty": member["kty"]} | {name: member[name] for name in names})
        public = key.raw_value
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(public, rsa.RSAPublicKey):
        fits = MIN_RSA_BITS <= public.key_size <= MAX_RSA_BITS
    else:
        curve = getattr(public, "curve", None)
        fits = isinstance(curve, ec.SECP256R1)
    kid, alg = (
        value if isinstance(value := member.get(name), str) else None for name in ("kid", "alg")
    )
    return ClientEncryptionKey(kid, str(member["kty"]), alg, key) if fits else None


def key_for(
    keys: tuple[ClientEncryptionKey, ...], alg: MessageEncryptionAlgorithm
) -> ClientEncryptionKey | None:
    """The first that fits; one that was made for `alg` comes first."""
    fitting = [key for key in keys if key.kty == alg.kty and key.alg in {None, alg.value}]
    return min(fitting, key=lambda key: key.alg is None, default=None)


def encrypt_for(
    token: str,
    key: ClientEncryptionKey,
    alg: MessageEncryptionAlgorithm,
    enc: ContentEncryptionAlgorithm,
) -> str:
    """`cty` says that a JWT is inside."""
    header = {"alg": alg.value, "enc": enc.value, "cty": "JWT"}
    if key.kid is not None:
        header["kid"] = key.kid
    return jwe.encrypt_compact(header, token, key.key, algorithms=[alg.value, enc.value])
