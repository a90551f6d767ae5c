"""Sessions of browsers, found by the digest of their cookie. Never cached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, not_, or_, select, update

from tenantry.core.facts import SessionFacts
from tenantry.store import pages, session_clients
from tenantry.store.pages import Page, PageRequest
from tenantry.store.records import find_row
from tenantry.store.rows import to_facts
from tenantry.store.tables import sessions
from tenantry.store.unit_of_work import TenantSession

_BY_DIGEST = select(sessions).where(
    sessions.c.tenant_id == bindparam("tenant"),
    sessions.c.digest.in_(bindparam("digests", expanding=True)),
    sessions.c.issuer == bindparam("issuer"),
)


def create(db: TenantSession, session: SessionFacts, digest: str) -> None:
    values = {
        "tenant_id": db.tenant_id,
        "id": session.id,
        "digest": digest,
        "issuer": session.issuer,
        "user_id": session.user_id,
        "connection_id": session.connection_id,
        "auth_time": session.auth_time,
        "amr": list(session.amr),
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "expires_at": session.expires_at,
        "ended_at": None,
    }
    db.connection.execute(insert(sessions), values)


def find_by_digest(db: TenantSession, digests: Sequence[str], issuer: str) -> SessionFacts | None:
    """The session of a cookie at the issuer where it began, ended or not."""
    named = {"tenant": db.tenant_id, "digests": digests, "issuer": issuer}
    row = db.connection.execute(_BY_DIGEST, named).mappings().one_or_none()
    return to_facts(SessionFacts, row) if row else None


def find(db: TenantSession, id: str) -> SessionFacts | None:
    row = find_row(db, sessions, id=id)
    return to_facts(SessionFacts, row) if row else None


def touch(db: TenantSession, id: str, expires_at: datetime) -> None:
    db.connection.execute(
        update(sessions)
        .where(sessions.c.tenant_id == db.tenant_id, sessions.c.id == id)
        .values(last_seen_at=db.now, expires_at=expires_at)
    )
    session_clients.keep_until(db, id, expires_at)


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


def end_for_user(db: TenantSession, user_id: str) -> tuple[SessionFacts, ...]:
    """The sessions of the user that were alive until now."""
    rows = db.connection.execute(
        update(sessions)
        .where(
            sessions.c.tenant_id == db.tenant_id,
            sessions.c.user_id == user_id,
            sessions.c.ended_at.is_(None),
        )
        .values(ended_at=db.now)
        .returning(sessions)
    ).mappings()
    return tuple(to_facts(SessionFacts, row) for row in rows)


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """`active` sessions are neither ended nor expired."""

    user_id: str | None = None
    active: bool | None = None


def page(db: TenantSession, criteria: SessionFilter, request: PageRequest) -> Page[SessionFacts]:
    return pages.fetch_page(db, sessions, _conditions(db, criteria), request, SessionFacts)


def count(db: TenantSession, criteria: SessionFilter) -> int:
    return pages.count(db, sessions, _conditions(db, criteria))


def _conditions(db: TenantSession, criteria: SessionFilter) -> list[Any]:
    conditions: list[Any] = [sessions.c.tenant_id == db.tenant_id]
    if criteria.user_id:
        conditions.append(sessions.c.user_id == criteria.user_id)
    if criteria.active is not None:
        over = or_(sessions.c.ended_at.is_not(None), sessions.c.expires_at <= db.now)
        conditions.append(not_(over) if criteria.active else over)
    return conditions


def first_of_each_user(
    db: TenantSession, user_ids: Sequence[str], request: PageRequest
) -> dict[str, Page[SessionFacts]]:
    """A page below every user, by one statement."""
    conditions = [sessions.c.tenant_id == db.tenant_id, sessions.c.user_id.in_(user_ids)]
    return pages.first_of_each(db, sessions, conditions, "user_id", request, SessionFacts)


def count_of_each_user(db: TenantSession, user_ids: Sequence[str]) -> dict[str, int]:
    conditions = [sessions.c.tenant_id == db.tenant_id, sessions.c.user_id.in_(user_ids)]
    return pages.count_of_each(db, sessions, conditions, "user_id")
