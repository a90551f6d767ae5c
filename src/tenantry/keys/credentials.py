"""Keys and certificates that are uploaded for an application: RFC 7468, RFC 5280, RFC 7517.

Law: only what is public comes out, in one form for one key, so that the same key is found again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
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

from tenantry.core.distinguished_names import rendered
from tenantry.keys.client_certificates import thumbprint

MIN_RSA_BITS, MAX_RSA_BITS = 2048, 4096
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
_PEM = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo


class BadKey(Exception):
    """Why it is no key that may be uploaded."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The name of a certificate, in the form of `core.distinguished_names`."""

    subject_dn: str
    ends_at: datetime


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
    certificate = _certificate(data)
    try:
        key = certificate.public_key()
    except (ValueError, TypeError) as error:
        raise BadKey("The certificate cannot be read.") from error
    found = _uploaded(key)
    digest = thumbprint(certificate.public_bytes(Encoding.DER))
    return UploadedKey(found.jwk, found.kid, digest, certificate.not_valid_after_utc)


def read_subject(text: str) -> Subject:
    """The subject of one certificate, whatever its key is."""
    if text.count("-----BEGIN ") != 1 or _CERTIFICATE not in text:
        raise BadKey("Must be one certificate as PEM.")
    certificate = _certificate(text.encode("ascii", errors="replace"))
    subject_dn = rendered(certificate.subject)
    if not subject_dn:
        raise BadKey("The certificate names no subject.")
    return Subject(subject_dn, certificate.not_valid_after_utc)


def _certificate(data: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(data)
        # Each is read when it is asked for, and may be beyond what can be told.
        _ = certificate.not_valid_after_utc, certificate.subject
    except (ValueError, TypeError, OverflowError) as error:
        raise BadKey("The certificate cannot be read.") from error
    return certificate


def read_jwk(jwk: Mapping[str, object]) -> UploadedKey:
    """A public key; of what else it says of itself, the thumbprint of its certificate counts."""
    kinds: Mapping[object, type[RSAKey] | type[ECKey] | type[OKPKey]] = {
        "RSA": RSAKey,
        "EC": ECKey,
        "OKP": OKPKey,
    }
    names = ("kty", "n", "e", "crv", "x", "y")
    try:
        members: dict[str, str | list[str]] = {n: str(jwk[n]) for n in names if n in jwk}
        found = _uploaded(kinds[jwk.get("kty")].import_key(members).public_key)
        return replace(found, x5t_s256=_x5t_s256(jwk))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise BadKey("This is no key.") from error


def _x5t_s256(jwk: Mapping[str, object]) -> str | None:
    """RFC 7517 §4.9."""
    value = jwk.get("x5t#S256")
    if value is None:
        return None
    if not isinstance(value, str) or not _THUMBPRINT.fullmatch(value):
        raise BadKey("The x5t#S256 is not a SHA-256 thumbprint.")
    return value


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
