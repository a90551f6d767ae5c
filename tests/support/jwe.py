"""Encrypted tokens as a resource server opens them, without the library that the server uses."""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.support.jwt import decode

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "RSA-OAEP-256": hashes.SHA256,
    "RSA-OAEP-384": hashes.SHA384,
    "RSA-OAEP-512": hashes.SHA512,
}


def opened(token: str, key: rsa.RSAPrivateKey) -> tuple[dict[str, Any], str]:
    """The protected header and the content (RFC 7516 §5.2)."""
    protected, wrapped, nonce, ciphertext, tag = token.split(".")
    header: dict[str, Any] = json.loads(decode(protected))
    assert header["enc"] == "A256GCM"
    hash_ = _HASHES[header["alg"]]
    oaep = padding.OAEP(padding.MGF1(hash_()), hash_(), None)
    content_key = key.decrypt(decode(wrapped), oaep)
    assert len(content_key) == 32
    assert len(decode(nonce)) == 12
    cipher = Cipher(algorithms.AES(content_key), modes.GCM(decode(nonce), decode(tag)))
    decryptor = cipher.decryptor()
    decryptor.authenticate_additional_data(protected.encode())
    return header, (decryptor.update(decode(ciphertext)) + decryptor.finalize()).decode()


def public_pem(key: Any) -> str:
    return str(
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
