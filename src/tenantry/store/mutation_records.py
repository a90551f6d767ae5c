"""Answers of mutations that were sent with an idempotency key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.store.tables import mutation_records
from tenantry.store.unit_of_work import TenantSession

LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class RecordKey:
    """Who sent which key for which response path; the key itself is a digest."""

    caller: str
    key_digest: str
    path: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was sent first, and its sealed answer."""

    body_digest: str
    answer: bytes | None


def claim(db: TenantSession, key: RecordKey, body_digest: str) -> Recorded | None:
    """None: the key is ours now. A concurrent duplicate waits here for the first to commit."""
    db.connection.execute(
        delete(mutation_records).where(*_bound(db, key), mutation_records.c.expires_at < db.now)
    )
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    inserted = db.connection.execute(
        insert(mutation_records)
        .values(
            tenant_id=db.tenant_id,
            caller=key.caller,
            key_digest=key.key_digest,
            path=key.path,
            body_digest=body_digest,
            answer=None,
            expires_at=db.now + LIFETIME,
        )
        .on_conflict_do_nothing()
    ).rowcount
    if inserted:
        return None
    row = db.connection.execute(
        select(mutation_records.c.body_digest, mutation_records.c.answer).where(*_bound(db, key))
    ).one()
    return Recorded(row.body_digest, row.answer)


def save(db: TenantSession, key: RecordKey, answer: bytes) -> None:
    db.connection.execute(update(mutation_records).where(*_bound(db, key)).values(answer=answer))


def _bound(db: TenantSession, key: RecordKey) -> list[Any]:
    columns = mutation_records.c
    return [
        columns.tenant_id == db.tenant_id,
        columns.caller == key.caller,
        columns.key_digest == key.key_digest,
        columns.path == key.path,
    ]
