"""Attempts within a window: counted by the database, so that every process counts the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, update
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.store.tables import attempts
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class Attempts:
    """How many there were, this one included, and when the window ends."""

    count: int
    expires_at: datetime


def add(db: TenantSession, subject: str, window: timedelta) -> Attempts:
    """Counts one more. The window begins with the first attempt and is never prolonged."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    over = attempts.c.expires_at <= db.now
    row = db.connection.execute(
        insert(attempts)
        .values(tenant_id=db.tenant_id, subject=subject, count=1, expires_at=db.now + window)
        .on_conflict_do_update(
            index_elements=[attempts.c.tenant_id, attempts.c.subject],
            set_={
                "count": case((over, 1), else_=attempts.c.count + 1),
                "expires_at": case((over, db.now + window), else_=attempts.c.expires_at),
            },
        )
        .returning(attempts.c.count, attempts.c.expires_at)
    ).one()
    return Attempts(row[0], row[1])


def take_back(db: TenantSession, subject: str) -> None:
    """One attempt less: it was none."""
    db.connection.execute(
        update(attempts)
        .where(
            attempts.c.tenant_id == db.tenant_id,
            attempts.c.subject == subject,
            attempts.c.count > 0,
        )
        .values(count=attempts.c.count - 1)
    )


def forget(db: TenantSession, subject: str) -> None:
    db.connection.execute(
        delete(attempts).where(attempts.c.tenant_id == db.tenant_id, attempts.c.subject == subject)
    )
