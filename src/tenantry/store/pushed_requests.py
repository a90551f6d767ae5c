"""Pushed authorization requests (RFC 9126), by the digest of their `request_uri`. Never cached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from tenantry.store.rows import to_facts, to_row
from tenantry.store.tables import pushed_requests
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedRequestFacts:
    """`parameters` are pairs of name and value, as they count."""

    digest: str
    issuer: str
    client_id: str
    parameters: tuple[tuple[str, str], ...]
    consumed_at: datetime | None
    created_at: datetime
    expires_at: datetime


def create(db: TenantSession, facts: PushedRequestFacts) -> None:
    names = PushedRequestFacts.__dataclass_fields__
    values = to_row({name: getattr(facts, name) for name in names})
    db.connection.execute(insert(pushed_requests).values(**values, tenant_id=db.tenant_id))


def find(db: TenantSession, digests: Sequence[str]) -> PushedRequestFacts | None:
    row = (
        db.connection.execute(
            select(pushed_requests).where(
                pushed_requests.c.tenant_id == db.tenant_id, pushed_requests.c.digest.in_(digests)
            )
        )
        .mappings()
        .one_or_none()
    )
    return to_facts(PushedRequestFacts, row) if row else None


def claim(db: TenantSession, digest: str, keep_until: datetime) -> bool:
    """Begins with a request that still waits. Of any number of contenders one gets True."""
    return bool(
        db.connection.execute(
            update(pushed_requests)
            .where(
                pushed_requests.c.tenant_id == db.tenant_id,
                pushed_requests.c.digest == digest,
                pushed_requests.c.consumed_at.is_(None),
                pushed_requests.c.expires_at > db.now,
            )
            .values(consumed_at=db.now, expires_at=keep_until)
        ).rowcount
    )
