"""What applications encrypt to this server: compact JWEs with a signed JWT inside (RFC 7516).

Law: the key and the ways to use it are this server's choice, the header can only name them; and
whatever is wrong with a message, it says the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.util import urlsafe_b64decode

from tenantry.core.encryption import REQUEST_OBJECT_ENCRYPTION, ContentEncryptionAlgorithm
from tenantry.core.facts import KeyState
from tenantry.keys.client_keys import MAX_JWT, BadSignature
from tenantry.keys.signing import Jwk, PrivateKey, base64url, private_key_from_der, thumbprint

ALGORITHM = REQUEST_OBJECT_ENCRYPTION
CONTENT = tuple(ContentEncryptionAlgorithm)
# RFC 7515 §4.1.11, RFC 8725 §3.6 (compression) and RFC 7518 §4.8 (the work of a password).
_REFUSED = ("crit", "zip", "p2c", "p2s")


@dataclass(frozen=True, slots=True)
class DecryptionKey:
    """An imported private key with what is published of it."""

    kid: str
    state: KeyState
    key: RSAKey
    jwk: Jwk


@dataclass(frozen=True, slots=True)
class DecryptionKeys:
    """A tenant's keys. Only the current one is published; what is set aside still decrypts."""

    keys: tuple[DecryptionKey, ...]

    @property
    def published(self) -> tuple[Jwk, ...]:
        return tuple(key.jwk for key in self.keys if key.state is KeyState.CURRENT)


def key_id(key: PrivateKey) -> str:
    """Never the `kid` of a key that signs."""
    return f"enc-{thumbprint(key)}"


def import_decryption_key(kid: str, state: KeyState, der: bytes) -> DecryptionKey:
    """Takes milliseconds: never on the loop."""
    key = private_key_from_der(der)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("not an RSA key")
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    numbers = key.public_key().public_numbers()
    jwk: Jwk = {
        "kty": "RSA",
        "n": base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)),
        "e": base64url(numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8)),
        "use": "enc",
        "alg": ALGORITHM.value,
        "kid": kid,
    }
    return DecryptionKey(kid, state, RSAKey.import_key(pem), jwk)


def is_encrypted(token: str) -> bool:
    return token.count(".") == 4


def decrypted(token: str, keys: DecryptionKeys) -> str:
    """The signed JWT inside; BadSignature for everything else. A millisecond of work at most."""
    if len(token) > MAX_JWT or not token.isascii():
        raise BadSignature("not a compact JWE")
    header = _header(token)
    algorithms = [ALGORITHM.value, *(enc.value for enc in CONTENT)]
    if header.get("alg") != algorithms[0] or header.get("enc") not in algorithms[1:]:
        raise BadSignature("an encryption that is not offered")
    if any(name in header for name in _REFUSED):
        raise BadSignature("an extension that is not understood")
    kid = header.get("kid")
    for key in keys.keys:
        if kid not in {None, key.kid}:
            continue
        try:
            found = jwe.decrypt_compact(token, key.key, algorithms=algorithms)
            inner = (found.plaintext or b"").decode("ascii")
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        # §4.1.12 and RFC 9101 §6.1: signed inside, and nothing wrapped once more.
        if inner.count(".") == 2:
            return inner
    raise BadSignature("not encrypted to a key of this server")


def _header(token: str) -> dict[str, Any]:
    try:
        header = json.loads(urlsafe_b64decode(token.partition(".")[0].encode()))
    except (ValueError, RecursionError):
        raise BadSignature("malformed") from None
    if not isinstance(header, dict) or not isinstance(header.get("kid", ""), str):
        raise BadSignature("malformed")
    return header
