"""Sessions of browsers: found by their cookie, begun at each login, ended at logout.

However a session ends before its time, the applications that took part in it are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tenantry.core.errors import not_found
from tenantry.core.facts import SessionClientFacts, SessionFacts, UserFacts
from tenantry.core.ids import new_id, new_token
from tenantry.rules.authentication import PASSWORD
from tenantry.store import applications, installation, outbox, session_clients, sessions, users
from tenantry.store.audit import Event, record
from tenantry.store.unit_of_work import TenantSession, recall

PURPOSE = "session"
_TOUCH_AFTER = timedelta(seconds=60)
BACKCHANNEL_LOGOUT = "backchannel_logout"
"""The kind of the outbox's messages."""


def find_live(db: TenantSession, cookie: str | None, issuer: str) -> SessionFacts | None:
    """The session of a cookie at this issuer, unless it is over."""
    if not cookie:
        return None
    session = sessions.find_by_digest(db, db.vault.digests(cookie, PURPOSE), issuer)
    return None if session is None or _is_over(db, session) else session


def is_live(db: TenantSession, session_id: str) -> bool:
    """Whether a session that was found before is not over yet."""
    return live(db, session_id) is not None


def live(db: TenantSession, session_id: str) -> SessionFacts | None:
    """A session that was found before, unless it is over."""
    session = sessions.find(db, session_id)
    return None if session is None or _is_over(db, session) else session


def _is_over(db: TenantSession, session: SessionFacts) -> bool:
    """Lifetimes that the tenant has shortened since count, as any change of its settings does."""
    if session.ended_at is not None or session.expires_at <= db.now:
        return True
    return _expiry(db, session.created_at, session.last_seen_at) <= db.now


def touch(db: TenantSession, session: SessionFacts) -> None:
    """Notes activity, which moves the inactivity limit; seldom more than once a minute."""
    idle_lifetime, _ = _lifetimes(db)
    seldom = min(_TOUCH_AFTER, idle_lifetime / 10)
    if db.now - session.last_seen_at >= seldom:
        sessions.touch(db, session.id, _expiry(db, session.created_at, db.now))


def _lifetimes(db: TenantSession) -> tuple[timedelta, timedelta]:
    """For how long without use, and for how long at all: the tenant's, up to the operator's."""
    tenant, limits = recall(db, installation.find_tenant, db.tenant_id), db.limits
    if tenant is None:
        raise not_found("tenant")
    return (
        timedelta(seconds=min(tenant.session_idle_lifetime, limits.session_idle_lifetime)),
        timedelta(seconds=min(tenant.session_lifetime, limits.session_lifetime)),
    )


def _expiry(db: TenantSession, created_at: datetime, seen_at: datetime) -> datetime:
    idle_lifetime, lifetime = _lifetimes(db)
    return min(created_at + lifetime, seen_at + idle_lifetime)


def begin(
    db: TenantSession,
    user: UserFacts,
    issuer: str,
    replaced: SessionFacts | None,
    amr: tuple[str, ...] = (PASSWORD,),
) -> tuple[SessionFacts, str]:
    """A new session with a new cookie value; the one that the browser had before ends.

    Where it was the same person's, its applications take part in the new one instead.
    """
    session = SessionFacts(
        id=new_id(),
        issuer=issuer,
        user_id=user.id,
        connection_id=user.connection_id,
        auth_time=db.now,
        created_at=db.now,
        last_seen_at=db.now,
        expires_at=_expiry(db, db.now, db.now),
        ended_at=None,
        amr=amr,
    )
    cookie = new_token()
    sessions.create(db, session, db.vault.digest(cookie, PURPOSE))
    if replaced is not None:
        if replaced.user_id == user.id:
            session_clients.move(db, replaced.id, session.id, session.expires_at)
        if sessions.end(db, replaced.id):
            _announce(db, [replaced])
    users.note_login(db, user.id)
    return session, cookie


def end(
    db: TenantSession,
    session: SessionFacts,
    client_id: str | None = None,
    event: str = "session.ended",
) -> tuple[SessionClientFacts, ...]:
    """Ends a session and returns who took part in it."""
    told: tuple[SessionClientFacts, ...] = ()
    if sessions.end(db, session.id):
        told = _announce(db, [session])
        record(
            db,
            Event(
                event,
                client_id=client_id,
                user_id=session.user_id,
                target_type="Session",
                target_id=session.id,
            ),
        )
    return told


def end_for_user(db: TenantSession, user_id: str) -> int:
    """Ends every session of a user. Returns how many there were."""
    ended = sessions.end_for_user(db, user_id)
    _announce(db, ended, everywhere=True)
    return len(ended)


def revoke(db: TenantSession, id: str) -> SessionFacts:
    """Ends a session by an administrator's word; one that is over stays as it was."""
    session = sessions.find(db, id)
    if session is None:
        raise not_found("session")
    end(db, session, event="session.revoked")
    return sessions.find(db, id) or session


def revoke_for_user(db: TenantSession, user_id: str) -> int:
    """The same for every session of a user. Returns how many were ended."""
    if users.find(db, user_id) is None:
        raise not_found("user", "user_id")
    ended = end_for_user(db, user_id)
    record(
        db,
        Event(
            "user.sessions_revoked",
            user_id=user_id,
            target_type="User",
            target_id=user_id,
            details={"sessions": ended},
        ),
    )
    return ended


def _announce(
    db: TenantSession, ended: Sequence[SessionFacts], *, everywhere: bool = False
) -> tuple[SessionClientFacts, ...]:
    """Puts messages into the outbox for each application that wants to hear of the end.

    Where the person is signed out `everywhere`, an application that does not need to know which
    sessions hears it once, of all of them.
    """
    told = session_clients.take(db, [session.id for session in ended])
    by_id = {session.id: session for session in ended}
    found = applications.find_by_client_ids(db, sorted({one.client_id for one in told}))
    messages: dict[tuple[str, str, str | None, str], None] = {}
    for one in told:
        application = found.get(one.client_id)
        if application is None or application.backchannel_logout_uri is None:
            continue
        session = by_id[one.session_id]
        named = not everywhere or application.backchannel_logout_session_required
        sid = one.sid if named else None
        messages[one.client_id, session.user_id, sid, session.issuer] = None
    for client_id, user_id, sid, issuer in messages:
        message = {"client_id": client_id, "user_id": user_id, "sid": sid, "issuer": issuer}
        outbox.enqueue(db, BACKCHANNEL_LOGOUT, message)
    return told
