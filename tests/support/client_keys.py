"""The application's side of RFC 7523 and RFC 9101: its keys, and what it signs with them."""

from __future__ import annotations

import hmac
import json
import secrets
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from tests.support.jwt import Json, encode
from tests.support.server import Client, Tenant

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_HASHES = {"RS256": SHA256(), "RS384": SHA384(), "RS512": SHA512()}


@cache
def rsa_key(name: str = "one", bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(name: str = "one") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def ed_key(name: str = "one") -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def pem(key: Any) -> str:
    """The public key, as `openssl` writes it."""
    made: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return made.decode()


def certificate(key: Any, days: int = 90) -> x509.Certificate:
    """One that the key signed itself, which ends after so many days."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client.example.com")])
    now = datetime.now(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256())
    )


def certificate_pem(made: x509.Certificate) -> str:
    return made.public_bytes(Encoding.PEM).decode()


def _big(number: int) -> str:
    return encode(number.to_bytes((number.bit_length() + 7) // 8))


def public_jwk(key: Any, kid: str | None = "k1", **more: str) -> Json:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        x = encode(key.public_key().public_bytes_raw())
        okp: Json = {"kty": "OKP", "crv": "Ed25519", "x": x}
        return okp | ({"kid": kid} if kid else {}) | more
    numbers = key.public_key().public_numbers()
    if isinstance(key, rsa.RSAPrivateKey):
        jwk: Json = {"kty": "RSA", "n": _big(numbers.n), "e": _big(numbers.e)}
    else:
        x, y = (encode(n.to_bytes(32)) for n in (numbers.x, numbers.y))
        jwk = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
    return jwk | ({"kid": kid} if kid else {}) | more


def signed(claims: Json, key: Any, alg: str = "RS256", **header: Any) -> str:
    """A compact JWS by another hand than the server's; `key` is bytes for HS256."""
    parts = ({"alg": alg} | header, claims)
    text = ".".join(encode(json.dumps(part).encode()) for part in parts)
    return f"{text}.{encode(_signature(text.encode(), key, alg))}"


def _signature(text: bytes, key: Any, alg: str) -> bytes:
    if alg == "HS256":
        return hmac.digest(key, text, "sha256")
    if alg == "ES256":
        r, s = decode_dss_signature(key.sign(text, ec.ECDSA(SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)
    signature = b""
    if alg == "EdDSA":
        signature = key.sign(text)
    elif alg == "PS256":
        signature = key.sign(text, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())
    elif alg in _HASHES:
        signature = key.sign(text, padding.PKCS1v15(), _HASHES[alg])
    return signature


def assertion_claims(tenant: Tenant, client: Client, **changes: Any) -> Json:
    """Good claims; a change to None leaves the claim out."""
    now = int(time.time())
    claims = {
        "iss": client.id,
        "sub": client.id,
        "aud": tenant.issuer,
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_urlsafe(16),
    } | changes
    return {name: value for name, value in claims.items() if value is not None}


def proving(assertion: str) -> dict[str, str]:
    """The parameters that carry an assertion."""
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
