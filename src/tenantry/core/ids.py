"""Identifiers: ordered by time where rows are listed, random where they are secrets."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import time
from dataclasses import dataclass
from datetime import datetime

_MAX_GLOBAL_ID = 512


def new_id(moment: datetime | None = None) -> str:
    """32 hexadecimal digits: 48 bits of milliseconds, then 80 random bits."""
    milliseconds = time.time_ns() // 1_000_000 if moment is None else _milliseconds(moment)
    return f"{milliseconds:012x}{os.urandom(10).hex()}"


def first_id_at(moment: datetime) -> str:
    """Not greater than any id of this moment, and greater than those of earlier milliseconds."""
    return f"{_milliseconds(moment):012x}"


def _milliseconds(moment: datetime) -> int:
    return max(0, int(moment.timestamp() * 1000))


def new_client_id() -> str:
    """The public identifier of an application (RFC 6749 §2.2)."""
    return secrets.token_hex(16)


def new_token() -> str:
    """A bearer value of 256 random bits, URL safe."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class GlobalId:
    """What a management `ID` carries: the type, the tenant and the local identifier."""

    type: str
    tenant_id: str
    local_id: str

    def encode(self) -> str:
        text = f"{self.type}:{self.tenant_id}:{self.local_id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, value: str) -> GlobalId | None:
        """None for anything that `encode` did not make."""
        if len(value) > _MAX_GLOBAL_ID or not value.isascii():
            return None
        try:
            text = base64.b64decode(value + "=" * (-len(value) % 4), b"-_", validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        type_, _, rest = text.partition(":")
        tenant_id, _, local_id = rest.partition(":")
        decoded = cls(type_, tenant_id, local_id)
        return decoded if local_id and "\x00" not in text and decoded.encode() == value else None
