"""Passwords: argon2id with 19 MiB, two passes, one lane (OWASP's second recommendation)."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Verified for users that do not exist, so that they cost what others cost.
_NOBODY = _HASHER.hash("nobody")
_NICENESS = 10


def hash_password(password: str) -> str:
    return _HASHER.hash(password)


def verify_password(password: str, stored: str | None) -> bool:
    """False for a wrong password, and for a missing or unreadable hash in the same time."""
    try:
        _HASHER.verify(stored or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    return _HASHER.check_needs_rehash(stored)


class PasswordWorkers:
    """A few low-priority threads for argon2, so that logins do not starve tokens."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "passwords", initializer=_lower_priority)

    async def hash(self, password: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._pool, hash_password, password)

    async def verify(self, password: str, stored: str | None) -> bool:
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, verify_password, password, stored
        )

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _lower_priority() -> None:
    # Linux counts niceness per thread; elsewhere it would slow the whole process.
    if os.uname().sysname == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
