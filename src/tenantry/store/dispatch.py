"""Which messages are due, whatever their tenant: the second module that crosses tenants."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Select, literal_column, select, tuple_, update

from tenantry.store.outbox import DeliveryFacts
from tenantry.store.rows import to_facts
from tenantry.store.tables import deliveries
from tenantry.store.unit_of_work import TenantSession

# A literal, since SQLite uses a partial index only for a condition that it can read.
_WAITING = deliveries.c.state == literal_column("'waiting'")


def _due(db: TenantSession, limit: int) -> Select[tuple[str, str]]:
    """The messages of all tenants that may be sent now, the longest due first."""
    return (
        select(deliveries.c.tenant_id, deliveries.c.id)
        .where(_WAITING, deliveries.c.due_at <= db.now)
        .order_by(deliveries.c.due_at)
        .limit(limit)
    )


def has_due(db: TenantSession) -> bool:
    return db.connection.execute(_due(db, 1)).first() is not None


def lease(db: TenantSession, seconds: int, limit: int) -> tuple[DeliveryFacts, ...]:
    """Messages that nobody else sends until the lease ends. Each lease counts as an attempt."""
    due = _due(db, limit).with_for_update(skip_locked=True)
    rows = db.connection.execute(
        update(deliveries)
        .where(
            tuple_(deliveries.c.tenant_id, deliveries.c.id).in_(due),
            _WAITING,
            deliveries.c.due_at <= db.now,
        )
        .values(due_at=db.now + timedelta(seconds=seconds), attempts=deliveries.c.attempts + 1)
        .returning(deliveries)
    ).mappings()
    return tuple(to_facts(DeliveryFacts, row) for row in rows)
