"""Sessions of browsers: found by their cookie, begun at each login, ended at logout."""

from __future__ import annotations

from datetime import datetime, timedelta

from tenantry.core.facts import SessionFacts, TenantFacts, UserFacts
from tenantry.core.ids import new_id, new_token
from tenantry.services.applications import require_tenant
from tenantry.store import sessions, users
from tenantry.store.audit import Event, record
from tenantry.store.unit_of_work import TenantSession

PURPOSE = "session"
_TOUCH_AFTER = timedelta(seconds=60)


def find_live(db: TenantSession, cookie: str | None, issuer: str) -> SessionFacts | None:
    """The session of a cookie at this issuer, unless it is over."""
    if not cookie:
        return None
    session = sessions.find_by_digest(db, db.vault.digests(cookie, PURPOSE), issuer)
    if session is None or session.ended_at is not None or session.expires_at <= db.now:
        return None
    return session


def is_live(db: TenantSession, session_id: str) -> bool:
    """Whether a session that was found before is not over yet."""
    session = sessions.find(db, session_id)
    return session is not None and session.ended_at is None and session.expires_at > db.now


def touch(db: TenantSession, session: SessionFacts) -> None:
    """Notes activity, which moves the inactivity limit; seldom more than once a minute."""
    if db.now - session.last_seen_at >= _TOUCH_AFTER:
        expires_at = _expiry(require_tenant(db), session.created_at, db.now)
        sessions.touch(db, session.id, expires_at)


def _expiry(tenant: TenantFacts, created_at: datetime, seen_at: datetime) -> datetime:
    return min(
        created_at + timedelta(seconds=tenant.session_lifetime),
        seen_at + timedelta(seconds=tenant.session_idle_lifetime),
    )


def begin(
    db: TenantSession, user: UserFacts, issuer: str, replaced: SessionFacts | None
) -> tuple[SessionFacts, str]:
    """A new session with a new cookie value; the one that the browser had before ends."""
    if replaced is not None:
        sessions.end(db, replaced.id)
    session = SessionFacts(
        id=new_id(),
        user_id=user.id,
        connection_id=user.connection_id,
        auth_time=db.now,
        created_at=db.now,
        last_seen_at=db.now,
        expires_at=_expiry(require_tenant(db), db.now, db.now),
        ended_at=None,
    )
    cookie = new_token()
    sessions.create(db, session, db.vault.digest(cookie, PURPOSE), issuer)
    users.note_login(db, user.id)
    return session, cookie


def end(db: TenantSession, session: SessionFacts, client_id: str | None) -> None:
    if sessions.end(db, session.id):
        record(
            db,
            Event(
                "session.ended",
                client_id=client_id,
                user_id=session.user_id,
                target_type="Session",
                target_id=session.id,
            ),
        )
