"""Identifiers that may be used once, by any process: a `jti` is claimed by one insert."""

from __future__ import annotations

from datetime import datetime

from tenantry.store.replay_queue import claim_each
from tenantry.store.unit_of_work import TenantSession


def claim(db: TenantSession, digest: str, expires_at: datetime) -> bool:
    """Whether this is the first use. It is remembered until `expires_at`."""
    asked = (db.tenant_id, digest, expires_at)
    return claim_each(db.connection, [asked], is_sqlite=db.is_sqlite)[0]
