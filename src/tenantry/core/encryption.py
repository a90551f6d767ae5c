"""How messages between this server and an application are encrypted (RFC 7518 §4.1 and §5.1)."""

from __future__ import annotations

from enum import StrEnum


class MessageEncryptionAlgorithm(StrEnum):
    """How the content key travels. RSA1_5 and passwords are not among them."""

    RSA_OAEP = "RSA-OAEP"
    RSA_OAEP_256 = "RSA-OAEP-256"
    ECDH_ES = "ECDH-ES"
    ECDH_ES_A256KW = "ECDH-ES+A256KW"

    @property
    def kty(self) -> str:
        """The kind of key that it needs."""
        return "RSA" if self.value.startswith("RSA") else "EC"


class ContentEncryptionAlgorithm(StrEnum):
    """How the content is encrypted."""

    A128CBC_HS256 = "A128CBC-HS256"
    A256CBC_HS512 = "A256CBC-HS512"
    A128GCM = "A128GCM"
    A256GCM = "A256GCM"


REQUEST_OBJECT_ENCRYPTION = MessageEncryptionAlgorithm.RSA_OAEP_256
"""How the content key of what is encrypted to this server travels."""
