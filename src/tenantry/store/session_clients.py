"""Which applications took part in a session, and so must hear of its end. Never cached."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Executable, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.facts import SessionClientFacts
from tenantry.store.rows import to_facts
from tenantry.store.tables import session_clients, sessions
from tenantry.store.unit_of_work import TenantSession


def join(db: TenantSession, session_id: str, client_id: str) -> None:
    """Notes that an application takes part in a session that has not ended."""
    named = {"tenant": db.tenant_id, "session": session_id, "client": client_id}
    db.connection.execute(_join(is_sqlite=db.is_sqlite), named)


@cache
def _join(*, is_sqlite: bool) -> Executable:
    insert = sqlite.insert if is_sqlite else postgresql.insert
    live = select(
        sessions.c.tenant_id,
        sessions.c.id,
        bindparam("client", type_=sessions.c.id.type),
        sessions.c.id,
        sessions.c.expires_at,
    ).where(
        sessions.c.tenant_id == bindparam("tenant"),
        sessions.c.id == bindparam("session"),
        sessions.c.ended_at.is_(None),
    )
    # Who ends the session at this moment waits, and then sees the row.
    live = live.with_for_update(read=True)
    names = ["tenant_id", "session_id", "client_id", "sid", "expires_at"]
    return insert(session_clients).from_select(names, live).on_conflict_do_nothing()


def keep_until(db: TenantSession, session_id: str, expires_at: datetime) -> None:
    db.connection.execute(
        update(session_clients)
        .where(
            session_clients.c.tenant_id == db.tenant_id,
            session_clients.c.session_id == session_id,
        )
        .values(expires_at=expires_at)
    )


def move(db: TenantSession, old_id: str, new_id: str, expires_at: datetime) -> None:
    """The same person has signed in again: who took part before will hear of the new end."""
    db.connection.execute(
        update(session_clients)
        .where(
            session_clients.c.tenant_id == db.tenant_id,
            session_clients.c.session_id == old_id,
        )
        .values(session_id=new_id, expires_at=expires_at)
    )


def take(db: TenantSession, session_ids: Sequence[str]) -> tuple[SessionClientFacts, ...]:
    """Who took part in sessions that have ended: each is given once."""
    if not session_ids:
        return ()
    rows = db.connection.execute(
        delete(session_clients)
        .where(
            session_clients.c.tenant_id == db.tenant_id,
            session_clients.c.session_id.in_(session_ids),
        )
        .returning(session_clients)
    ).mappings()
    return tuple(to_facts(SessionClientFacts, row) for row in rows)


def of_each(db: TenantSession, session_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The client ids of those who take part in each session, by one statement."""
    rows = db.connection.execute(
        select(session_clients.c.session_id, session_clients.c.client_id)
        .where(
            session_clients.c.tenant_id == db.tenant_id,
            session_clients.c.session_id.in_(session_ids),
        )
        .order_by(session_clients.c.session_id, session_clients.c.client_id)
        .distinct()
    )
    found: dict[str, tuple[str, ...]] = {}
    for session_id, client_id in rows:
        found[session_id] = (*found.get(session_id, ()), client_id)
    return found
