"""Passwords: argon2id with 19 MiB, two passes, one lane (OWASP's second recommendation)."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tenantry.keys.imported_passwords import verify_hash

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Verified for users that do not exist, so that they cost what others cost.
_NOBODY = _HASHER.hash("nobody")
_OURS = "$argon2id$"


def hash_password(password: str) -> str:
    return _HASHER.hash(password)


def verify_password(password: str, stored: str | None) -> bool:
    """False for a wrong password, and for a missing or unreadable hash in the same time."""
    if stored and not stored.startswith(_OURS):
        return verify_hash(password, stored)
    try:
        _HASHER.verify(stored or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made elsewhere, or with other parameters than today's."""
    return not stored.startswith(_OURS) or _HASHER.check_needs_rehash(stored)
