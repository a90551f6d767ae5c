"""JARM §3: what an application registers for answers that are JWTs, and how that goes together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tenantry.core.encryption import ContentEncryptionAlgorithm, MessageEncryptionAlgorithm
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ApplicationFacts

# §2.1: "a maximum JWT lifetime of 10 minutes is RECOMMENDED".
LIFETIME = 600


def content_encryption(application: ApplicationFacts) -> ContentEncryptionAlgorithm:
    """§3: "the default […] is A128CBC-HS256"."""
    chosen = application.authorization_encrypted_response_enc
    return chosen or ContentEncryptionAlgorithm.A128CBC_HS256


def require_encryptable(values: Mapping[str, Any]) -> None:
    """An answer that must be encrypted needs a key to encrypt it to."""
    alg = values["authorization_encrypted_response_alg"]
    if alg is None:
        # §3: "When authorization_encrypted_response_enc is included,
        # authorization_encrypted_response_alg MUST also be provided."
        if values["authorization_encrypted_response_enc"] is not None:
            raise DomainError(
                ErrorCode.REQUIRED,
                "Needs authorizationEncryptedResponseAlg.",
                "authorization_encrypted_response_enc",
            )
        return
    if values["jwks_uri"] is None and not _has_key(values["jwks"], alg):
        raise DomainError(
            ErrorCode.REQUIRED,
            f"{alg.value} needs an {alg.kty} key in jwks that may encrypt, or jwksUri.",
            "authorization_encrypted_response_alg",
        )


def _has_key(jwks: str | None, alg: MessageEncryptionAlgorithm) -> bool:
    keys = json.loads(jwks)["keys"] if jwks is not None else []
    return any(
        key["kty"] == alg.kty
        and key.get("use", "enc") == "enc"
        and key.get("alg", alg.value) == alg.value
        and (alg.kty == "RSA" or key.get("crv") == "P-256")
        for key in keys
    )
