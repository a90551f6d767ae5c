"""Identifiers that may be used once, by any process: a `jti` is claimed by one insert."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects import postgresql, sqlite

from tenantry.store.tables import replay_identifiers
from tenantry.store.unit_of_work import TenantSession


def claim(db: TenantSession, digest: str, expires_at: datetime) -> bool:
    """Whether this is the first use. It is remembered until `expires_at`."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    return bool(
        db.connection.execute(
            insert(replay_identifiers)
            .values(tenant_id=db.tenant_id, digest=digest, expires_at=expires_at)
            .on_conflict_do_nothing()
        ).rowcount
    )
