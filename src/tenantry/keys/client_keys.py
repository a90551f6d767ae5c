"""Keys of applications, and the signatures that they make: RFC 7515, RFC 7517, RFC 7518.

Law: the key comes from what the application registered, never from a header of the message.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

_KEY_TYPES: Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {
    "RSA": RSAKey,
    "EC": ECKey,
    "OKP": OKPKey,
}
_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_TYPE_OF_ALGORITHM = {
    "RS256": "RSA",
    "RS384": "RSA",
    "PS256": "RSA",
    "ES256": "EC",
    "EdDSA": "OKP",
}
MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192
MAX_JWT = 65_536


class BadSignature(Exception):
    """The message is malformed, or none of the keys made its signature."""


@dataclass(frozen=True, slots=True)
class ClientKey:
    """One public key. `alg` is the only algorithm it may be used with, None where any.

    `x5t_s256` is the thumbprint of its certificate (RFC 7517 §4.9).
    """

    kty: str
    kid: str | None
    alg: str | None
    key: RSAKey | ECKey | OKPKey
    x5t_s256: str | None = None


@dataclass(frozen=True, slots=True)
class UnverifiedJwt:
    """Header and claims of a message whose signature nobody has looked at."""

    token: str
    unverified_header: Mapping[str, Any]
    unverified_claims: Mapping[str, Any]

    @property
    def alg(self) -> str:
        return _text(self.unverified_header.get("alg"))

    @property
    def kid(self) -> str | None:
        return _text(self.unverified_header.get("kid")) or None

    @property
    def x5t_s256(self) -> str | None:
        return _text(self.unverified_header.get("x5t#S256")) or None

    @property
    def typ(self) -> str:
        """Lower case, without `application/` (RFC 7515 §4.1.9)."""
        return _text(self.unverified_header.get("typ")).lower().removeprefix("application/")


@cache
def _registry(alg: str | None) -> JWSRegistry:
    """RFC 7515 §4: header parameters that are not understood are ignored, and a key fits in one."""
    registry = JWSRegistry(algorithms=[alg] if alg else None, strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = MAX_JWT
    return registry


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def read_jwt(token: str) -> UnverifiedJwt:
    """The parts of a compact JWS whose payload is a JSON object; BadSignature for all else."""
    if len(token) > MAX_JWT or not token.isascii() or token.count(".") != 2:
        raise BadSignature("not a compact JWS")
    try:
        message = jws.extract_compact(token.encode(), registry=_registry(None))
        claims = json.loads(message.payload)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadSignature("malformed") from error
    header = message.headers()
    # RFC 7515 §4.1.11: an extension that is not understood makes the message invalid.
    if "crit" in header or "b64" in header:
        raise BadSignature("an unknown extension")
    if not isinstance(claims, dict):
        raise BadSignature("the payload is not an object")
    return UnverifiedJwt(token, header, claims)


@lru_cache(maxsize=1024)
def import_public_keys(jwks: str) -> tuple[ClientKey, ...]:
    """The keys of a set that can verify a signature; others are left out."""
    try:
        members = json.loads(jwks)["keys"]
        return tuple(key for member in members if (key := import_public_key(member)) is not None)
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()


def import_public_key(member: Any) -> ClientKey | None:
    """A JWK that can verify a signature; None for any other, and for one that is not public."""
    if not isinstance(member, dict) or _text(member.get("use")) == "enc":
        return None
    kind = _KEY_TYPES.get(_text(member.get("kty")))
    if kind is None or not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}.isdisjoint(member):
        return None
    names = _MEMBERS[member["kty"]]
    try:
        key = kind.import_key({"kty": member["kty"]} | {name: member[name] for name in names})
        public = key.raw_value
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(public, rsa.RSAPublicKey):
        if not MIN_RSA_BITS <= public.key_size <= MAX_RSA_BITS:
            return None
    elif isinstance(public, ec.EllipticCurvePublicKey):
        if public.curve.name != "secp256r1":
            return None
    elif not isinstance(public, ed25519.Ed25519PublicKey):
        return None
    kid, alg, x5t_s256 = (_text(member.get(name)) or None for name in ("kid", "alg", "x5t#S256"))
    return ClientKey(str(member["kty"]), kid, alg, key, x5t_s256)


def verify_with_keys(
    message: UnverifiedJwt, keys: Sequence[ClientKey], algorithms: Collection[str]
) -> Mapping[str, Any]:
    """The claims, if one of the keys that the `kid` names, or of all without one, signed them."""
    alg = message.alg
    kty = _TYPE_OF_ALGORITHM.get(alg)
    if alg not in algorithms or kty is None:
        raise BadSignature("an algorithm that is not allowed")
    for key in keys:
        fits = key.kty == kty and key.alg in {None, alg}
        named = (message.kid is None or key.kid in {None, message.kid}) and (
            message.x5t_s256 is None or key.x5t_s256 in {None, message.x5t_s256}
        )
        if fits and named and _verifies(message.token, key.key, alg):
            return message.unverified_claims
    raise BadSignature("no registered key made the signature")


def verify_with_secret(message: UnverifiedJwt, secret: bytes) -> Mapping[str, Any]:
    """The claims, if the secret made the signature, by HS256."""
    if message.alg != "HS256":
        raise BadSignature("an algorithm that is not allowed")
    if not _verifies(message.token, OctKey.import_key(secret), "HS256"):
        raise BadSignature("the secret did not make the signature")
    return message.unverified_claims


def _verifies(token: str, key: RSAKey | ECKey | OKPKey | OctKey, alg: str) -> bool:
    if isinstance(key, OKPKey):
        return _verifies_eddsa(token, key.raw_value)
    try:
        jws.deserialize_compact(token, key, registry=_registry(alg))
    except (JoseError, ValueError, TypeError):
        return False
    return True


def _verifies_eddsa(token: str, key: object) -> bool:
    """RFC 8037 §3.1. The library warns of the name EdDSA, which is the one that is in use."""
    signed, _, signature = token.rpartition(".")
    if not isinstance(key, ed25519.Ed25519PublicKey):
        return False
    try:
        key.verify(urlsafe_b64decode(signature.encode()), signed.encode())
    except (InvalidSignature, ValueError):
        return False
    return True
