"""JSON Web Signatures in compact form (RFC 7515 §3.1) and the keys that make them.

The compact form is assembled here around `cryptography`, because that is the hot path;
everything that is read goes through joserfc in `tenantry.tokens.verify`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from tenantry.core.facts import KeyState, SigningAlgorithm, SigningKeyFacts

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
KeySource = Callable[[SigningAlgorithm], PrivateKey]
Jwk = dict[str, Any]

RSA_BITS = 2048
_CERTIFICATE_LIFE = timedelta(days=3650)
_PKCS1 = padding.PKCS1v15()
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
_SHA256 = hashes.SHA256()
_ECDSA = ec.ECDSA(hashes.SHA256())
_compact = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An imported private key with what is published of it."""

    facts: SigningKeyFacts
    private_key: PrivateKey
    jwk: Jwk


@dataclass(frozen=True, slots=True)
class KeyRing:
    """A tenant's live keys. `published` are current, next and previous, in that order."""

    current: Mapping[SigningAlgorithm, SigningKey]
    published: tuple[SigningKey, ...]

    def public_jwks(self) -> dict[str, Any]:
        return {"keys": [key.jwk for key in self.published]}


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def generate_private_key(alg: SigningAlgorithm) -> PrivateKey:
    """Takes about 0.1 s for RSA: never on the event loop."""
    if alg is SigningAlgorithm.ES256:
        return ec.generate_private_key(ec.SECP256R1())
    if alg is SigningAlgorithm.EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, RSA_BITS)


def private_key_to_der(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def private_key_from_der(der: bytes) -> PrivateKey:
    """Only for keys that this server made: the RSA primes are not checked again (0.08 s)."""
    key = serialization.load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, PrivateKey):
        raise TypeError(f"not a signing key: {type(key).__name__}")
    return key


def public_key_to_pem(key: PrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def self_signed_certificate(key: PrivateKey, common_name: str, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _CERTIFICATE_LIFE)
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )


def certificate_to_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@dataclass(frozen=True, slots=True)
class CertificateForms:
    """One certificate in the forms that other software asks for.

    `cer` is DER in base64, `pkcs7` a PEM bundle, `fingerprint` the SHA-1 and `thumbprint` the
    SHA-256 of the DER in hexadecimal.
    """

    pem: str
    cer: str
    pkcs7: str
    fingerprint: str
    thumbprint: str


def certificate_forms(pem: str) -> CertificateForms:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    der = certificate.public_bytes(serialization.Encoding.DER)
    bundle = pkcs7.serialize_certificates([certificate], serialization.Encoding.PEM).decode()
    return CertificateForms(
        pem=pem,
        cer=urlsafe_b64encode(der).decode().replace("-", "+").replace("_", "/"),
        pkcs7=bundle,
        fingerprint=hashlib.sha1(der, usedforsecurity=False).hexdigest().upper(),
        thumbprint=hashlib.sha256(der).hexdigest().upper(),
    )


def _required_members(key: PrivateKey) -> Jwk:
    """The members that RFC 7638 §3.2 hashes, in no order."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return {
            "kty": "RSA",
            "n": base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)),
            "e": base64url(numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8)),
        }
    if isinstance(public, ec.EllipticCurvePublicKey):
        point = public.public_numbers()
        return {
            "kty": "EC",
            "crv": "P-256",
            "x": base64url(point.x.to_bytes(32)),
            "y": base64url(point.y.to_bytes(32)),
        }
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": base64url(raw)}


def thumbprint(key: PrivateKey) -> str:
    """The JWK thumbprint (RFC 7638), which is the `kid`."""
    members = json.dumps(_required_members(key), separators=(",", ":"), sort_keys=True)
    return base64url(hashlib.sha256(members.encode()).digest())


def import_key(facts: SigningKeyFacts, der: bytes) -> SigningKey:
    key = private_key_from_der(der)
    certificate = x509.load_pem_x509_certificate(facts.certificate.encode())
    encoded = certificate.public_bytes(serialization.Encoding.DER)
    jwk: Jwk = {
        **_required_members(key),
        "use": "sig",
        "alg": facts.alg.value,
        "kid": facts.kid,
        "x5t": base64url(hashlib.sha1(encoded, usedforsecurity=False).digest()),
        "x5t#S256": base64url(hashlib.sha256(encoded).digest()),
        "x5c": [urlsafe_b64encode(encoded).decode().replace("-", "+").replace("_", "/")],
    }
    return SigningKey(facts, key, jwk)


def key_ring(keys: list[SigningKey]) -> KeyRing:
    order = {KeyState.CURRENT: 0, KeyState.NEXT: 1, KeyState.PREVIOUS: 2}
    published = sorted(
        (key for key in keys if key.facts.state in order),
        key=lambda key: (order[key.facts.state], list(SigningAlgorithm).index(key.facts.alg)),
    )
    current = {key.facts.alg: key for key in published if key.facts.state is KeyState.CURRENT}
    return KeyRing(current, tuple(published))


def sign_jwt(claims: Mapping[str, Any], key: SigningKey, typ: str) -> str:
    """The signed token. The algorithm is the key's own; the header carries its `kid`."""
    alg = key.facts.alg
    text = _header(alg, typ, key.facts.kid) + b"." + _encoded(claims)
    signature = _sign(key.private_key, alg, text)
    return (text + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()


def sign_jwt_with_secret(claims: Mapping[str, Any], secret: bytes, typ: str) -> str:
    """The same by HS256, for an API that shares a secret with this server."""
    text = _encoded({"alg": SigningAlgorithm.HS256.value, "typ": typ}) + b"." + _encoded(claims)
    signature = hmac.digest(secret, text, "sha256")
    return (text + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()


@lru_cache(maxsize=4096)
def _header(alg: SigningAlgorithm, typ: str, kid: str) -> bytes:
    return _encoded({"alg": alg.value, "typ": typ, "kid": kid})


def _encoded(members: Mapping[str, Any]) -> bytes:
    return urlsafe_b64encode(_compact(members).encode()).rstrip(b"=")


def _sign(key: PrivateKey, alg: SigningAlgorithm, text: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(text, _PSS if alg is SigningAlgorithm.PS256 else _PKCS1, _SHA256)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(text, _ECDSA))
        return r.to_bytes(32) + s.to_bytes(32)
    return key.sign(text)
