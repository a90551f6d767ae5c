"""Sessions of browsers, found by the digest of their cookie. Never cached."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from tenantry.core.facts import SessionFacts
from tenantry.store.rows import to_facts
from tenantry.store.tables import sessions
from tenantry.store.unit_of_work import TenantSession


def create(db: TenantSession, session: SessionFacts, digest: str, issuer: str) -> None:
    db.connection.execute(
        insert(sessions).values(
            tenant_id=db.tenant_id,
            id=session.id,
            digest=digest,
            issuer=issuer,
            user_id=session.user_id,
            connection_id=session.connection_id,
            auth_time=session.auth_time,
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            expires_at=session.expires_at,
            ended_at=None,
        )
    )


def find_by_digest(db: TenantSession, digests: Sequence[str], issuer: str) -> SessionFacts | None:
    """The session of a cookie at the issuer where it began, ended or not."""
    row = (
        db.connection.execute(
            select(sessions).where(
                sessions.c.tenant_id == db.tenant_id,
                sessions.c.digest.in_(digests),
                sessions.c.issuer == issuer,
            )
        )
        .mappings()
        .one_or_none()
    )
    return to_facts(SessionFacts, row) if row else None


def find(db: TenantSession, id: str) -> SessionFacts | None:
    row = (
        db.connection.execute(
            select(sessions).where(sessions.c.tenant_id == db.tenant_id, sessions.c.id == id)
        )
        .mappings()
        .one_or_none()
    )
    return to_facts(SessionFacts, row) if row else None


def touch(db: TenantSession, id: str, expires_at: datetime) -> None:
    db.connection.execute(
        update(sessions)
        .where(sessions.c.tenant_id == db.tenant_id, sessions.c.id == id)
        .values(last_seen_at=db.now, expires_at=expires_at)
    )


def end(db: TenantSession, id: str) -> bool:
    """Whether the session was alive until now."""
    return bool(
        db.connection.execute(
            update(sessions)
            .where(
                sessions.c.tenant_id == db.tenant_id,
                sessions.c.id == id,
                sessions.c.ended_at.is_(None),
            )
            .values(ended_at=db.now)
        ).rowcount
    )


def end_for_user(db: TenantSession, user_id: str) -> int:
    """How many sessions of the user were ended."""
    return db.connection.execute(
        update(sessions)
        .where(
            sessions.c.tenant_id == db.tenant_id,
            sessions.c.user_id == user_id,
            sessions.c.ended_at.is_(None),
        )
        .values(ended_at=db.now)
    ).rowcount
