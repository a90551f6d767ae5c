"""The public keys of an application: uploaded, registered, or fetched from its `jwks_uri`."""

from __future__ import annotations

from dataclasses import replace

from tenantry.core.credentials import CredentialUse
from tenantry.core.facts import ApplicationFacts, TrustedIssuerFacts
from tenantry.keys.client_certificates import thumbprints_in
from tenantry.keys.client_keys import ClientKey, import_public_keys
from tenantry.rules.client_keys import MAX_KEYS
from tenantry.services.runtime import Runtime
from tenantry.store import credentials

_ACCEPT = "application/jwk-set+json, application/json"


async def keys_for(
    runtime: Runtime,
    tenant_id: str,
    application: ApplicationFacts,
    use: CredentialUse,
    kid: str | None,
) -> tuple[ClientKey, ...]:
    """Those for one use: the enabled credentials that have not expired, and the key set."""
    enabled: tuple[str, ...] = getattr(application, use)
    if not enabled:
        return await keys_of(runtime, tenant_id, application, kid)
    found = await runtime.configuration.get(tenant_id, credentials.of_application, application.id)
    now = runtime.clock.now()
    keys = tuple(
        replace(key, x5t_s256=credential.x5t_s256)
        for credential in found or ()
        if credential.id in enabled and credential.jwk is not None and credential.works_at(now)
        for key in import_public_keys(f'{{"keys":[{credential.jwk}]}}')
    )
    if kid is not None and any(key.kid == kid for key in keys):
        return keys
    return keys + await keys_of(runtime, tenant_id, application, kid)


async def keys_of(
    runtime: Runtime,
    tenant_id: str,
    application: ApplicationFacts | TrustedIssuerFacts,
    kid: str | None,
) -> tuple[ClientKey, ...]:
    """An unknown `kid` may be a new key: then the document is fetched again, but not often."""
    if application.jwks is not None:
        return import_public_keys(application.jwks)
    if application.jwks_uri is None:
        return ()
    documents, uri = runtime.documents, application.jwks_uri
    keys = _imported(await documents.get(tenant_id, uri, _ACCEPT))
    if kid is not None and all(key.kid != kid for key in keys):
        keys = _imported(await documents.get_again(tenant_id, uri, _ACCEPT))
    return keys


async def certificates_of(
    runtime: Runtime, tenant_id: str, application: ApplicationFacts, wanted: str
) -> frozenset[str]:
    """The thumbprints of the certificates in its key set (RFC 7517 §4.7 and §4.9)."""
    if application.jwks is not None:
        return thumbprints_in(application.jwks)
    if application.jwks_uri is None:
        return frozenset()
    documents, uri = runtime.documents, application.jwks_uri
    document = await documents.get(tenant_id, uri, _ACCEPT)
    found = thumbprints_in(document) if document is not None else frozenset()
    if wanted not in found:
        document = await documents.get_again(tenant_id, uri, _ACCEPT)
        found = thumbprints_in(document) if document is not None else frozenset()
    return found


def _imported(document: str | None) -> tuple[ClientKey, ...]:
    return import_public_keys(document)[:MAX_KEYS] if document is not None else ()
