"""The key of an application that its answers are encrypted to."""

from __future__ import annotations

from tenantry.core.encryption import MessageEncryptionAlgorithm
from tenantry.core.facts import ApplicationFacts
from tenantry.keys.client_encryption import (
    ClientEncryptionKey,
    import_encryption_keys,
    key_for,
)
from tenantry.rules.client_keys import MAX_KEYS
from tenantry.services.runtime import Runtime

_ACCEPT = "application/jwk-set+json, application/json"


async def encryption_key(
    runtime: Runtime,
    tenant_id: str,
    application: ApplicationFacts,
    alg: MessageEncryptionAlgorithm,
) -> ClientEncryptionKey | None:
    """Registered or fetched; None where there is none that fits, or no answer."""
    document = application.jwks
    if document is None and application.jwks_uri is not None:
        document = await runtime.documents.get(tenant_id, application.jwks_uri, _ACCEPT)
    keys = import_encryption_keys(document) if document is not None else ()
    return key_for(keys[:MAX_KEYS], alg)
