"""Signing keys of a tenant: made at first use, rotated, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tenantry.core.context import SYSTEM, Caller
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import KeyState, SigningAlgorithm, SigningKeyFacts, TenantFacts
from tenantry.keys.signing import (
    KeyRing,
    KeySource,
    PrivateKey,
    certificate_to_pem,
    private_key_to_der,
    public_key_to_pem,
    self_signed_certificate,
    thumbprint,
)
from tenantry.services import encryption_keys
from tenantry.services.applications import require_tenant
from tenantry.services.changes import record_change
from tenantry.services.runtime import Runtime
from tenantry.store import signing_keys
from tenantry.store.unit_of_work import TenantSession

REVOKED_SHOWN = 3


async def key_ring(runtime: Runtime, tenant: TenantFacts) -> KeyRing:
    """The tenant's keys, made now if this is their first use. Those switched off do not sign."""
    ring = await runtime.configuration.get(tenant.id, signing_keys.ring, "")
    if ring is not None and all(alg in ring.current for alg in tenant.signing_algorithms):
        return _switched_on(ring, tenant)
    present = set(ring.current) if ring else set()
    missing = [alg for alg in tenant.signing_algorithms if alg not in present]
    made = await runtime.store.in_thread(lambda: make_pairs(runtime.key_source, missing))
    await runtime.store.write(tenant.id, Caller(SYSTEM), store_pairs, tenant.name, made)
    ring = await runtime.configuration.get(tenant.id, signing_keys.ring, "")
    if ring is None:
        raise LookupError(f"no signing keys of tenant {tenant.id}")
    return _switched_on(ring, tenant)


def _switched_on(ring: KeyRing, tenant: TenantFacts) -> KeyRing:
    """What was signed before can still be verified here until it expires."""
    if len(ring.current) == len(tenant.signing_algorithms):
        return ring
    current = {alg: key for alg, key in ring.current.items() if alg in tenant.signing_algorithms}
    return KeyRing(current, ring.published)


Pair = tuple[SigningAlgorithm, PrivateKey, PrivateKey]


def make_pairs(source: KeySource, algs: Sequence[SigningAlgorithm]) -> list[Pair]:
    return [(alg, source(alg), source(alg)) for alg in algs]


def store_pairs(db: TenantSession, name: str, pairs: Sequence[Pair]) -> None:
    """Puts a current and a next key into free slots; a slower process keeps nothing."""
    for alg, current, following in pairs:
        for key, state in ((current, KeyState.CURRENT), (following, KeyState.NEXT)):
            signing_keys.insert_if_free(
                db, _facts(key, alg, state, name, db.now), private_key_to_der(key)
            )


def _facts(
    key: PrivateKey, alg: SigningAlgorithm, state: KeyState, name: str, now: datetime
) -> SigningKeyFacts:
    return SigningKeyFacts(
        kid=thumbprint(key),
        alg=alg,
        state=state,
        public_key=public_key_to_pem(key),
        certificate=certificate_to_pem(self_signed_certificate(key, name, now)),
        created_at=now,
        current_since=now if state is KeyState.CURRENT else None,
        revoked_at=None,
    )


def rotate(
    db: TenantSession,
    following: Sequence[tuple[SigningAlgorithm, PrivateKey]],
    decrypting: PrivateKey | None = None,
    *,
    revoke: bool,
) -> tuple[SigningKeyFacts, ...]:
    """Current becomes previous (or is revoked), next becomes current, a new next is made.

    A previous key that was still published is revoked, since only one can be previous.
    """
    tenant = require_tenant(db)
    for alg, key in following:
        signing_keys.move(db, alg, KeyState.PREVIOUS, KeyState.REVOKED)
        signing_keys.move(
            db, alg, KeyState.CURRENT, KeyState.REVOKED if revoke else KeyState.PREVIOUS
        )
        signing_keys.move(db, alg, KeyState.NEXT, KeyState.CURRENT)
        facts = _facts(key, alg, KeyState.NEXT, tenant.name, db.now)
        signing_keys.insert_if_free(db, facts, private_key_to_der(key))
    if decrypting is not None:
        encryption_keys.rotate(db, decrypting, revoke=revoke)
    record_change(
        db,
        "signing_key.rotated",
        ("Tenant", db.tenant_id),
        after={"revoke_previous": revoke},
    )
    return listed(db)


def revoke_previous(
    db: TenantSession, alg: SigningAlgorithm | None = None
) -> tuple[SigningKeyFacts, ...]:
    """Tokens of the previous key fail from now on; it never comes back. None: of every `alg`."""
    previous = [
        key
        for key in signing_keys.live(db)
        if key.state is KeyState.PREVIOUS and alg in {None, key.alg}
    ]
    if not previous:
        raise DomainError(ErrorCode.NOT_FOUND, "There is no previous signing key.")
    for key in previous:
        signing_keys.move(db, key.alg, KeyState.PREVIOUS, KeyState.REVOKED)
        record_change(db, "signing_key.revoked", ("SigningKey", key.kid))
    if alg is None:
        encryption_keys.revoke_previous(db)
    return listed(db)


def listed(db: TenantSession) -> tuple[SigningKeyFacts, ...]:
    """The live keys and the last three that were revoked."""
    return (*signing_keys.live(db), *signing_keys.last_revoked(db, REVOKED_SHOWN))
