"""JSON Web Signatures by another hand than the server's: RFC 7515 and 7518 over `cryptography`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

Json = dict[str, Any]


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _number(text: str) -> int:
    return int.from_bytes(decode(text))


def header_of(token: str) -> Json:
    header: Json = json.loads(decode(token.split(".")[0]))
    return header


def claims_of(token: str) -> Json:
    """What a token says, unverified."""
    claims: Json = json.loads(decode(token.split(".")[1]))
    return claims


def verify(token: str, jwks: Json) -> tuple[Json, Json]:
    """Header and claims of a token that one published key signed; AssertionError for any other."""
    header = header_of(token)
    keys = [key for key in jwks["keys"] if key["kid"] == header["kid"]]
    assert len(keys) == 1, "the token's kid is not published, or not once"
    text, _, signature = token.rpartition(".")
    try:
        _check(header["alg"], keys[0], text.encode(), decode(signature))
    except InvalidSignature:
        raise AssertionError("the signature does not fit") from None
    return header, claims_of(token)


def _check(alg: str, jwk: Json, text: bytes, signature: bytes) -> None:
    if alg in {"RS256", "PS256"}:
        assert jwk["kty"] == "RSA"
        rsa_key = rsa.RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
        assert rsa_key.key_size >= 2048
        scheme = padding.PSS(padding.MGF1(SHA256()), 32) if alg == "PS256" else padding.PKCS1v15()
        rsa_key.verify(signature, text, scheme, SHA256())
    elif alg == "ES256":
        assert (jwk["kty"], jwk["crv"]) == ("EC", "P-256")
        assert len(signature) == 64
        point = ec.EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), ec.SECP256R1())
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        point.public_key().verify(encode_dss_signature(r, s), text, ec.ECDSA(SHA256()))
    else:
        assert (alg, jwk["kty"], jwk["crv"]) == ("EdDSA", "OKP", "Ed25519")
        ed25519.Ed25519PublicKey.from_public_bytes(decode(jwk["x"])).verify(signature, text)


def half_hash(value: str) -> str:
    """`at_hash` of the algorithms that hash with SHA-256 (OpenID Connect Core §3.1.3.6)."""
    return encode(hashlib.sha256(value.encode()).digest()[:16])


def forged(header: Mapping[str, Any], claims: Mapping[str, Any], key: Any = None) -> str:
    """A token that the server did not sign: by an RSA key of ours, by HMAC bytes, or by nothing."""
    text = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(text.encode(), padding.PKCS1v15(), SHA256())
    elif isinstance(key, bytes):
        signature = hmac.digest(key, text.encode(), "sha256")
    else:
        signature = b""
    return f"{text}.{encode(signature)}"


def pem_of(jwk: Json) -> bytes:
    """The public RSA key as PEM: what an attacker would use as the secret of HS256."""
    from cryptography.hazmat.primitives import serialization

    key = rsa.RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
