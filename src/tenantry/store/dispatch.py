"""Which messages are due, whatever their tenant: the second module that crosses tenants."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import Select, exists, literal_column, select, tuple_, update

from tenantry.core.jobs import JobState
from tenantry.store import log_positions
from tenantry.store.log_positions import Position
from tenantry.store.outbox import DeliveryFacts
from tenantry.store.rows import to_facts
from tenantry.store.tables import deliveries, jobs, log_events, log_streams
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


def due_streams(db: TenantSession, limit: int) -> tuple[tuple[str, str], ...]:
    """Tenants and ids of log streams that events wait for, the longest due first."""
    waiting = exists().where(
        log_events.c.tenant_id == log_streams.c.tenant_id,
        log_positions.settled(is_sqlite=db.is_sqlite),
        log_positions.beyond(log_streams.c.position, log_streams.c.event_id),
    )
    rows = db.connection.execute(
        select(log_streams.c.tenant_id, log_streams.c.id)
        .where(
            log_streams.c.status == literal_column("'active'"),
            log_streams.c.due_at <= db.now,
            waiting,
        )
        .order_by(log_streams.c.due_at)
        .limit(limit)
    )
    return tuple((row.tenant_id, row.id) for row in rows)


def due_jobs(db: TenantSession, limit: int) -> tuple[tuple[str, str, JobState], ...]:
    """Tenants and ids of jobs that wait for a process or for their end, the longest due first."""
    rows = db.connection.execute(
        select(jobs.c.tenant_id, jobs.c.id, jobs.c.state)
        .where(jobs.c.finished_at.is_(None), jobs.c.due_at <= db.now)
        .order_by(jobs.c.due_at)
        .limit(limit)
    )
    return tuple((row.tenant_id, row.id, JobState(row.state)) for row in rows)


def latest_events(db: TenantSession, tenant_ids: Iterable[str]) -> dict[str, Position]:
    """The place of the last settled event of each tenant that has one."""
    found: dict[str, Position] = {}
    for tenant_id in tenant_ids:
        row = db.connection.execute(
            select(log_events.c.position, log_events.c.id)
            .where(
                log_events.c.tenant_id == tenant_id,
                log_positions.settled(is_sqlite=db.is_sqlite),
            )
            .order_by(log_events.c.position.desc(), log_events.c.id.desc())
            .limit(1)
        ).one_or_none()
        if row:
            found[tenant_id] = (row.position, row.id)
    return found
