"""Log streams: their settings, who sends a batch now, and the batches that were given up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.ids import new_id
from tenantry.core.log_streams import LogStreamFacts, LogStreamStatus
from tenantry.store import log_feed, log_stream_failures, pages, records
from tenantry.store.log_stream_failures import Batch
from tenantry.store.pages import Page, PageRequest
from tenantry.store.tables import log_streams
from tenantry.store.unit_of_work import TenantSession


def _row(tenant_id: str, id: str) -> str:
    return f"log stream {tenant_id} {id}"


def envelope(db: TenantSession, id: str, secret: str) -> str:
    """A secret as it is stored."""
    return db.vault.encrypt(secret.encode(), _row(db.tenant_id, id))


def _taken() -> DomainError:
    return DomainError(ErrorCode.ALREADY_EXISTS, "Another log stream has this name.", "name")


def create(db: TenantSession, values: Mapping[str, Any], secret: str) -> str:
    """A stream of what happens from now on."""
    id_ = new_id()
    position, event_id = log_feed.head(db)
    book = {
        "secret": envelope(db, id_, secret),
        "position": position,
        "event_id": event_id,
        "batch_id": None,
        "batch_position": None,
        "batch_event_id": None,
        "attempts": 0,
        "failed_batches": 0,
        "due_at": db.now,
        "lease": None,
        "last_delivered_at": None,
        "last_failed_at": None,
        "last_error": None,
    }
    return records.create(db, log_streams, {**values, **book}, _taken(), id=id_)


def find(db: TenantSession, id: str) -> LogStreamFacts | None:
    return records.find(db, log_streams, LogStreamFacts, id=id)


def change(
    db: TenantSession,
    current: LogStreamFacts,
    values: Mapping[str, Any],
    expected_revision: int | None = None,
) -> None:
    """Writes settings, and tries at once what waits; a batch in flight stays its sender's."""
    records.change(db, log_streams, current, values, expected_revision, _taken())
    own = [log_streams.c.tenant_id == db.tenant_id, log_streams.c.id == current.id]
    db.connection.execute(
        update(log_streams).where(*own).values(batch_id=None, attempts=0, failed_batches=0)
    )
    db.connection.execute(
        update(log_streams).where(*own, log_streams.c.lease.is_(None)).values(due_at=db.now)
    )


def delete(
    db: TenantSession, current: LogStreamFacts, expected_revision: int | None = None
) -> None:
    records.remove(db, log_streams, current, expected_revision)
    log_stream_failures.delete_of(db, current.id)


def page(
    db: TenantSession,
    request: PageRequest,
    name_contains: str | None = None,
    status: LogStreamStatus | None = None,
) -> Page[LogStreamFacts]:
    conditions = _conditions(db, name_contains, status)
    return pages.fetch_page(db, log_streams, conditions, request, LogStreamFacts)


def count(
    db: TenantSession, name_contains: str | None = None, status: LogStreamStatus | None = None
) -> int:
    return pages.count(db, log_streams, _conditions(db, name_contains, status))


def _conditions(
    db: TenantSession, name_contains: str | None, status: LogStreamStatus | None
) -> list[Any]:
    conditions = pages.narrowed(db, log_streams.c.name, name_contains)
    if status:
        conditions.append(log_streams.c.status == status.value)
    return conditions


def address(db: TenantSession, id: str) -> tuple[str, str] | None:
    """The URL of a stream and its secret."""
    row = db.connection.execute(
        select(log_streams.c.url, log_streams.c.secret).where(
            log_streams.c.tenant_id == db.tenant_id, log_streams.c.id == id
        )
    ).one_or_none()
    return (row.url, _opened(db, id, row.secret)) if row else None


def _opened(db: TenantSession, id: str, sealed: str) -> str:
    return db.vault.decrypt(sealed, _row(db.tenant_id, id)).decode()


def claim(db: TenantSession, id: str, seconds: int, limit: int) -> Batch | None:
    """The next batch, which nobody else sends until the lease ends; each lease is an attempt."""
    lease = new_id()
    row: Mapping[Any, Any] | None = (
        db.connection.execute(
            update(log_streams)
            .where(
                log_streams.c.tenant_id == db.tenant_id,
                log_streams.c.id == id,
                log_streams.c.status == LogStreamStatus.ACTIVE.value,
                log_streams.c.due_at <= db.now,
            )
            .values(
                lease=lease,
                due_at=db.now + timedelta(seconds=seconds),
                attempts=log_streams.c.attempts + 1,
            )
            .returning(log_streams)
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    after, types = (row["position"], row["event_id"]), tuple(row["event_types"])
    batch_id = row["batch_id"]
    if batch_id is None:
        head = log_feed.head(db)
        events = log_feed.read(db, after, types, limit, head)
        end = head if len(events) < limit else (events[-1].position, events[-1].event.id)
        batch_id = new_id()
    else:
        end = (row["batch_position"], row["batch_event_id"])
        events = log_feed.read(db, after, types, limit, end)
    batch = Batch(
        stream_id=id,
        lease=lease,
        id=batch_id,
        end=end,
        events=events,
        url=row["url"],
        secret=_opened(db, id, row["secret"]),
        attempts=row["attempts"],
        failed_batches=row["failed_batches"],
    )
    if not events:
        pass_over(db, batch)
        return None
    _settle(db, batch, {"batch_id": batch.id, "batch_position": end[0], "batch_event_id": end[1]})
    return batch


def _settle(db: TenantSession, batch: Batch, values: Mapping[str, Any]) -> bool:
    return bool(
        db.connection.execute(
            update(log_streams)
            .where(
                log_streams.c.tenant_id == db.tenant_id,
                log_streams.c.id == batch.stream_id,
                log_streams.c.lease == batch.lease,
            )
            .values(**values)
        ).rowcount
    )


def _done_with(batch: Batch) -> dict[str, Any]:
    return {
        "position": batch.end[0],
        "event_id": batch.end[1],
        "batch_id": None,
        "attempts": 0,
        "lease": None,
    }


def pass_over(db: TenantSession, batch: Batch) -> bool:
    """Nothing of it is to be sent."""
    return _settle(db, batch, _done_with(batch) | {"due_at": db.now})


def delivered(db: TenantSession, batch: Batch) -> bool:
    """Moves on; False where the lease ran out and another attempt began."""
    done = {"due_at": db.now, "last_delivered_at": db.now, "failed_batches": 0}
    return _settle(db, batch, _done_with(batch) | done)


def postpone(db: TenantSession, batch: Batch, due_at: datetime, error: str) -> bool:
    """Lets the batch be tried again; False as with `delivered`."""
    return _settle(db, batch, {"lease": None, "due_at": due_at} | _failed(db, error))


def suspend(db: TenantSession, batch: Batch, error: str) -> bool:
    """Sends no more until somebody says so; the batch stays the next. False as before."""
    ended = {"lease": None, "due_at": db.now, "status": LogStreamStatus.SUSPENDED.value}
    return _settle(db, batch, ended | _failed(db, error))


def give_up(db: TenantSession, batch: Batch, payload: str, error: str) -> bool:
    """Keeps the batch aside and moves on. False as before."""
    counted = {"due_at": db.now, "failed_batches": batch.failed_batches + 1}
    if not _settle(db, batch, _done_with(batch) | counted | _failed(db, error)):
        return False
    log_stream_failures.add(db, batch, payload, error)
    return True


def _failed(db: TenantSession, error: str) -> dict[str, Any]:
    return {"last_failed_at": db.now, "last_error": error}
