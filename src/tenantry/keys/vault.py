"""The installation's secret keys: envelopes for what is read back, digests for what is compared.

Envelope: AES-256-GCM, `v1.{key id}.{base64url(nonce + ciphertext)}`, bound to its row by the
associated data. The first key of the list encrypts, all of them decrypt. Digest keys are derived
by HKDF-SHA256 (RFC 5869), one per purpose, from every key of the list.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


class UndecryptableError(Exception):
    """The row was encrypted under a key that the settings no longer name, or was altered."""


def generate_encryption_key() -> str:
    """A new value for `TENANTRY_ENCRYPTION_KEY`: 256 bits in base64url."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode().rstrip("=")


def parse_encryption_key(text: str) -> bytes:
    """ValueError unless `text` is 32 bytes in base64url or hexadecimal."""
    try:
        if len(text) == 2 * KEY_BYTES:
            return bytes.fromhex(text)
        key = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise ValueError("not base64url or hexadecimal") from error
    if len(key) != KEY_BYTES:
        raise ValueError(f"{len(key)} bytes instead of {KEY_BYTES}")
    return key


class Vault:
    """Holds the keys. One per process; never copied, never printed."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {self._key_id(key): key for key in keys}
        self._first = self._key_id(keys[0])
        self._digest_keys: dict[str, list[bytes]] = {}

    @staticmethod
    def _key_id(key: bytes) -> str:
        return hashlib.sha256(b"tenantry key id" + key).hexdigest()[:8]

    @staticmethod
    def _derive(key: bytes, purpose: str) -> bytes:
        return HKDF(SHA256(), KEY_BYTES, None, f"tenantry {purpose}".encode()).derive(key)

    def encrypt(self, plaintext: bytes, row: str) -> str:
        nonce = os.urandom(12)
        sealed = AESGCM(self._keys[self._first]).encrypt(nonce, plaintext, row.encode())
        return f"v1.{self._first}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def decrypt(self, envelope: str, row: str) -> bytes:
        version, _, rest = envelope.partition(".")
        key_id, _, text = rest.partition(".")
        key = self._keys.get(key_id)
        if version != "v1" or key is None:
            raise UndecryptableError(f"No configured encryption key opens {row}.")
        try:
            sealed = base64.urlsafe_b64decode(text)
            return AESGCM(key).decrypt(sealed[:12], sealed[12:], row.encode())
        except (InvalidTag, ValueError) as error:
            raise UndecryptableError(f"{row} was altered or belongs elsewhere.") from error

    def _purpose_keys(self, purpose: str) -> list[bytes]:
        keys = self._digest_keys.get(purpose)
        if keys is None:
            keys = [self._derive(key, purpose) for key in self._keys.values()]
            self._digest_keys[purpose] = keys
        return keys

    def digest(self, value: str, purpose: str) -> str:
        """A keyed SHA-256 of `value`: what is stored of a secret that is only compared."""
        key = self._purpose_keys(purpose)[0]
        return hmac.digest(key, value.encode(), "sha256").hex()

    def lasting_digest(self, value: str, purpose: str) -> str:
        """Under the last key, so that a new first key leaves the digest as it is."""
        key = self._purpose_keys(purpose)[-1]
        return hmac.digest(key, value.encode(), "sha256").hex()

    def digests(self, value: str, purpose: str) -> list[str]:
        """The digest under every configured key, the first key's first: for look-ups."""
        text = value.encode()
        return [hmac.digest(key, text, "sha256").hex() for key in self._purpose_keys(purpose)]

    def matches(self, value: str, digest: str | None, purpose: str) -> bool:
        """Constant time in the values. A missing digest costs the same and matches nothing."""
        expected = digest or "0" * 64
        found = False
        for candidate in self.digests(value, purpose):
            found |= secrets.compare_digest(candidate, expected)
        return found and digest is not None


def seal_under(secret: str, plaintext: bytes, row: str) -> bytes:
    """Encrypts so that only who presents `secret` again can read it."""
    nonce = os.urandom(12)
    return nonce + AESGCM(_presented_key(secret)).encrypt(nonce, plaintext, row.encode())


def open_under(secret: str, sealed: bytes, row: str) -> bytes:
    return AESGCM(_presented_key(secret)).decrypt(sealed[:12], sealed[12:], row.encode())


def _presented_key(secret: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, None, b"tenantry presented key").derive(secret.encode())
