"""Batches of log streams, and those of them that were given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import insert, or_, select, update

from tenantry.core.log_streams import LogStreamFailureFacts, PlacedEvent
from tenantry.store import pages
from tenantry.store.log_positions import Position
from tenantry.store.pages import Page, PageRequest
from tenantry.store.rows import to_facts
from tenantry.store.tables import log_stream_failures as failures
from tenantry.store.unit_of_work import TenantSession

KEEP = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one lease sends. The same `id` means the same events."""

    stream_id: str
    lease: str
    id: str
    end: Position
    events: tuple[PlacedEvent, ...]
    url: str
    secret: str
    attempts: int
    failed_batches: int


def add(db: TenantSession, batch: Batch, payload: str, error: str) -> None:
    """Keeps a batch aside; `payload` is what was to be sent."""
    db.connection.execute(
        insert(failures).values(
            tenant_id=db.tenant_id,
            id=batch.id,
            stream_id=batch.stream_id,
            payload=payload,
            event_count=len(batch.events),
            attempts=batch.attempts,
            error=error,
            created_at=db.now,
            redelivery_at=None,
            expires_at=db.now + KEEP,
        )
    )


def delete_of(db: TenantSession, stream_id: str) -> None:
    """Those of a stream that is removed."""
    db.connection.execute(delete_rows(failures).where(*_of_stream(db, stream_id)))


def find(db: TenantSession, id: str) -> LogStreamFailureFacts | None:
    row = (
        db.connection.execute(
            select(failures).where(failures.c.tenant_id == db.tenant_id, failures.c.id == id)
        )
        .mappings()
        .one_or_none()
    )
    return to_facts(LogStreamFailureFacts, row) if row else None


def page(db: TenantSession, request: PageRequest, stream_id: str) -> Page[LogStreamFailureFacts]:
    return pages.fetch_page(db, failures, _of_stream(db, stream_id), request, LogStreamFailureFacts)


def count(db: TenantSession, stream_id: str) -> int:
    return pages.count(db, failures, _of_stream(db, stream_id))


def _of_stream(db: TenantSession, stream_id: str) -> list[Any]:
    return [failures.c.tenant_id == db.tenant_id, failures.c.stream_id == stream_id]


def begin_redelivery(db: TenantSession, id: str, until: datetime) -> bool:
    """Whether a batch that was given up is sent again by this caller, and by no other yet."""
    return bool(
        db.connection.execute(
            update(failures)
            .where(
                failures.c.tenant_id == db.tenant_id,
                failures.c.id == id,
                or_(failures.c.redelivery_at.is_(None), failures.c.redelivery_at <= db.now),
            )
            .values(redelivery_at=until)
        ).rowcount
    )


def delete(db: TenantSession, id: str) -> bool:
    return bool(
        db.connection.execute(
            delete_rows(failures).where(failures.c.tenant_id == db.tenant_id, failures.c.id == id)
        ).rowcount
    )
