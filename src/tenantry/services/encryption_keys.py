"""The tenant's key for encrypted request objects: made at first use, rotated with the others."""

from __future__ import annotations

from tenantry.core.context import SYSTEM, Caller
from tenantry.core.facts import KeyState, SigningAlgorithm, TenantFacts
from tenantry.keys.server_encryption import DecryptionKeys, key_id
from tenantry.keys.signing import PrivateKey, private_key_to_der
from tenantry.services.runtime import Runtime
from tenantry.store import encryption_keys
from tenantry.store.unit_of_work import TenantSession

NO_KEYS = DecryptionKeys(())


async def decryption_keys(runtime: Runtime, tenant: TenantFacts) -> DecryptionKeys:
    """None at all while the tenant has not switched them on."""
    if not tenant.request_object_encryption_supported:
        return NO_KEYS
    found = await runtime.configuration.get(tenant.id, encryption_keys.ring, "")
    if found is not None and found.keys:
        return found
    key = await runtime.store.in_thread(lambda: new_key(runtime))
    await runtime.store.write(tenant.id, Caller(SYSTEM), _store, key)
    return await runtime.configuration.get(tenant.id, encryption_keys.ring, "") or NO_KEYS


def new_key(runtime: Runtime) -> PrivateKey:
    """An RSA key, from where the keys that sign come as well. Takes 0.1 s."""
    return runtime.key_source(SigningAlgorithm.RS256)


def _store(db: TenantSession, key: PrivateKey) -> None:
    encryption_keys.insert_if_free(db, key_id(key), private_key_to_der(key))


def rotate(db: TenantSession, key: PrivateKey, *, revoke: bool) -> None:
    """What was encrypted before can be read until the next rotation, or not any more."""
    encryption_keys.remove(db, KeyState.PREVIOUS)
    if revoke:
        encryption_keys.remove(db, KeyState.CURRENT)
    else:
        encryption_keys.set_aside(db)
    _store(db, key)


def revoke_previous(db: TenantSession) -> None:
    encryption_keys.remove(db, KeyState.PREVIOUS)
