"""Nested tokens in compact form: a signed JWT encrypted for an API (RFC 7516 §3.1, RFC 7519 §5.2).

The content is encrypted with A256GCM, its key with RSA-OAEP and a SHA-2 hash (RFC 7518 §4.3;
`RSA-OAEP-384` and `-512` are those that the W3C registered). Assembled around `cryptography`,
because joserfc knows only the first of the three.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tenantry.core.facts import EncryptionKey, KeyEncryptionAlgorithm
from tenantry.keys.signing import base64url

MIN_BITS, MAX_BITS = 2048, 4096
_HASHES: dict[KeyEncryptionAlgorithm, type[hashes.HashAlgorithm]] = {
    KeyEncryptionAlgorithm.RSA_OAEP_256: hashes.SHA256,
    KeyEncryptionAlgorithm.RSA_OAEP_384: hashes.SHA384,
    KeyEncryptionAlgorithm.RSA_OAEP_512: hashes.SHA512,
}


class UnusableKey(ValueError):
    """The PEM is no key that tokens can be encrypted for. The text says why."""


def import_encryption_key(
    pem: str, alg: KeyEncryptionAlgorithm, kid: str | None, name: str | None
) -> EncryptionKey:
    """From the PEM of a public RSA key or of a certificate."""
    x5t_s256 = None
    public: object
    try:
        if "-----BEGIN CERTIFICATE-----" in pem:
            certificate = x509.load_pem_x509_certificate(pem.encode())
            der = certificate.public_bytes(serialization.Encoding.DER)
            x5t_s256 = base64url(hashlib.sha256(der).digest())
            public = certificate.public_key()
        else:
            public = serialization.load_pem_public_key(pem.encode())
    except (ValueError, TypeError, UnicodeEncodeError) as error:
        raise UnusableKey("Must be the PEM of a public key or a certificate.") from error
    except Exception as error:  # `UnsupportedAlgorithm` and what else a parser thinks of
        raise UnusableKey("The kind of this key is not supported.") from error
    if not isinstance(public, rsa.RSAPublicKey):
        raise UnusableKey("Must be an RSA key.")
    if not MIN_BITS <= public.key_size <= MAX_BITS:
        raise UnusableKey(f"An RSA key has {MIN_BITS} to {MAX_BITS} bits.")
    thumbprint = _thumbprint(public)
    return EncryptionKey(
        name=name,
        alg=alg,
        kid=kid or thumbprint,
        public_key=public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode(),
        thumbprint_sha256=thumbprint,
        x5t_s256=x5t_s256,
    )


def encrypt_jwt(token: str, key: EncryptionKey) -> str:
    """The nested token: `cty` says that a JWT is inside (RFC 7519 §5.2)."""
    header = {"alg": key.alg.value, "enc": "A256GCM", "kid": key.kid, "typ": "JWT", "cty": "JWT"}
    protected = base64url(json.dumps(header, separators=(",", ":")).encode())
    content_key, nonce = AESGCM.generate_key(256), os.urandom(12)
    wrapped = _public_key(key.public_key).encrypt(content_key, _oaep(key.alg))
    sealed = AESGCM(content_key).encrypt(nonce, token.encode(), protected.encode())
    parts = (wrapped, nonce, sealed[:-16], sealed[-16:])
    return ".".join((protected, *map(base64url, parts)))


def _oaep(alg: KeyEncryptionAlgorithm) -> padding.OAEP:
    hash_ = _HASHES[alg]
    return padding.OAEP(padding.MGF1(hash_()), hash_(), None)


def _thumbprint(key: rsa.RSAPublicKey) -> str:
    """RFC 7638 §3."""
    numbers = key.public_numbers()
    members = {
        "e": base64url(numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8)),
        "kty": "RSA",
        "n": base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)),
    }
    return base64url(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


@lru_cache(maxsize=1024)
def _public_key(pem: str) -> rsa.RSAPublicKey:
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("not an RSA key")
    return key
