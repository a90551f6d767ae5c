"""How messages between the server and an application are encrypted, as enums of the schema."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from tenantry.core.encryption import ContentEncryptionAlgorithm, MessageEncryptionAlgorithm
from tenantry.management.types.enums import describe_enum

__all__ = ["ContentEncryptionAlgorithm", "MessageEncryptionAlgorithm"]


def _describe(enum: type[Enum], description: str, values: Mapping[Any, str]) -> None:
    on_wire = {member: f"{text} On the wire: `{member.value}`." for member, text in values.items()}
    describe_enum(enum, description, on_wire)


_describe(
    MessageEncryptionAlgorithm,
    "How the content key of an encrypted message travels (RFC 7518).",
    {
        MessageEncryptionAlgorithm.RSA_OAEP: "RSA with OAEP, for programs that know no other.",
        MessageEncryptionAlgorithm.RSA_OAEP_256: "RSA with OAEP and SHA-256.",
        MessageEncryptionAlgorithm.ECDH_ES: "A key agreed upon with a key of the curve P-256.",
        MessageEncryptionAlgorithm.ECDH_ES_A256KW: "The same, which wraps the content key.",
    },
)
_describe(
    ContentEncryptionAlgorithm,
    "How the content of an encrypted message is encrypted (RFC 7518).",
    {
        ContentEncryptionAlgorithm.A128CBC_HS256: "AES-128 in CBC mode with HMAC SHA-256.",
        ContentEncryptionAlgorithm.A256CBC_HS512: "AES-256 in CBC mode with HMAC SHA-512.",
        ContentEncryptionAlgorithm.A128GCM: "AES-128 in GCM mode.",
        ContentEncryptionAlgorithm.A256GCM: "AES-256 in GCM mode.",
    },
)
