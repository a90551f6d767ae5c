"""Keys and certificates that are uploaded for an application: RFC 7468, RFC 5280, RFC 7517.

Law: only what is public comes out, in one form for one key, so that the same key is found again.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

MIN_RSA_BITS, MAX_RSA_BITS = 2048, 4096
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
_PEM = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo


class BadKey(Exception):
    """Why it is no key that may be uploaded."""


@dataclass(frozen=True, slots=True)
class UploadedKey:
    """`jwk` has the members that make the key, and nothing else. `x5t_s256` (RFC 7515 §4.1.8)
    and `ends_at` are those of a certificate.
    """

    jwk: Mapping[str, str]
    kid: str
    x5t_s256: str | None = None
    ends_at: datetime | None = None


def read_pem(text: str) -> UploadedKey:
    """One public key or one certificate."""
    if "PRIVATE KEY" in text:
        raise BadKey("This is a private key: keep it, and send the public one.")
    if text.count("-----BEGIN ") != 1:
        raise BadKey("Must be one public key or one certificate as PEM.")
    data = text.encode("ascii", errors="replace")
    if _CERTIFICATE not in text:
        try:
            return _uploaded(load_pem_public_key(data))
        except (ValueError, TypeError) as error:
            raise BadKey("Must be one public key or one certificate as PEM.") from error
    try:
        certificate = x509.load_pem_x509_certificate(data)
        key, ends_at = certificate.public_key(), certificate.not_valid_after_utc
    except (ValueError, TypeError, OverflowError) as error:
        raise BadKey("The certificate cannot be read.") from error
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    thumbprint = urlsafe_b64encode(digest).rstrip(b"=").decode()
    found = _uploaded(key)
    return UploadedKey(found.jwk, found.kid, thumbprint, ends_at)


def read_jwk(jwk: Mapping[str, object]) -> UploadedKey:
    """A public key; its `kid` and what else it says of itself do not count."""
    kinds: Mapping[object, type[RSAKey] | type[ECKey] | type[OKPKey]] = {
        "RSA": RSAKey,
        "EC": ECKey,
        "OKP": OKPKey,
    }
    names = ("kty", "n", "e", "crv", "x", "y")
    try:
        members: dict[str, str | list[str]] = {n: str(jwk[n]) for n in names if n in jwk}
        return _uploaded(kinds[jwk.get("kty")].import_key(members).public_key)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise BadKey("This is no key.") from error


def _uploaded(public: object) -> UploadedKey:
    """By the numbers of the key, however they were written."""
    key: RSAKey | ECKey | OKPKey
    if isinstance(public, rsa.RSAPublicKey):
        if not MIN_RSA_BITS <= public.key_size <= MAX_RSA_BITS:
            raise BadKey(f"An RSA key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits.")
        key = RSAKey.import_key(public.public_bytes(*_PEM))
    elif isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name == "secp256r1":
        key = ECKey.import_key(public.public_bytes(*_PEM))
    elif isinstance(public, ed25519.Ed25519PublicKey):
        key = OKPKey.import_key(public.public_bytes(*_PEM))
    else:
        raise BadKey("The key must be RSA, EC on the curve P-256, or Ed25519.")
    names = ("kty", "n", "e", "crv", "x", "y")
    jwk = {name: str(value) for name, value in key.as_dict().items() if name in names}
    return UploadedKey(jwk, key.thumbprint())
