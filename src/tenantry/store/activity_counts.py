"""Counts a day of the audit log, of all tenants at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.activity import ActivityDayFacts
from tenantry.store.tables import active_users, activity_days, log_events
from tenantry.store.unit_of_work import INSTALLATION, TenantSession

KEEP = timedelta(days=800)
LOGIN, FAILED_LOGIN, SIGN_UP, TOKEN = (
    "login.succeeded",
    "login.failed",
    "user.created",
    "token.issued",
)


@dataclass(frozen=True, slots=True)
class CountedDay:
    """What one day was like, by tenant."""

    day: date
    counts: Mapping[str, ActivityDayFacts]
    active: tuple[tuple[str, str], ...]


def last_counted(db: TenantSession) -> date | None:
    """The last day that was counted; the installation's own row says so."""
    found = db.connection.execute(
        select(func.max(activity_days.c.id)).where(activity_days.c.tenant_id == INSTALLATION)
    ).scalar_one()
    return date.fromisoformat(found) if found else None


def first_event(db: TenantSession) -> datetime | None:
    found: datetime | None = db.connection.execute(
        select(func.min(log_events.c.created_at))
    ).scalar_one()
    return found


def count_day(db: TenantSession, day: date) -> CountedDay:
    """Reads only."""
    counted = db.connection.execute(_counts(day)).all()
    active = tuple((row.tenant_id, row.user_id) for row in db.connection.execute(_active(day)))
    users: dict[str, int] = {}
    for tenant_id, _ in active:
        users[tenant_id] = users.get(tenant_id, 0) + 1
    counts = {
        row.tenant_id: ActivityDayFacts(
            id=day.isoformat(),
            active_users=users.get(row.tenant_id, 0),
            sign_ups=row.sign_ups,
            logins=row.logins,
            failed_logins=row.failed_logins,
        )
        for row in counted
    }
    return CountedDay(day, counts, active)


def _counts(day: date) -> Select[Any]:
    def number(type_: str) -> Any:
        return func.sum(case((log_events.c.type == type_, 1), else_=0))

    return (
        select(
            log_events.c.tenant_id,
            number(SIGN_UP).label("sign_ups"),
            number(LOGIN).label("logins"),
            number(FAILED_LOGIN).label("failed_logins"),
        )
        .where(
            _on(day),
            or_(
                log_events.c.type.in_((SIGN_UP, LOGIN, FAILED_LOGIN)),
                and_(log_events.c.type == TOKEN, log_events.c.user_id.is_not(None)),
            ),
        )
        .group_by(log_events.c.tenant_id)
    )


def _active(day: date) -> Select[Any]:
    return (
        select(log_events.c.tenant_id, log_events.c.user_id)
        .where(
            _on(day),
            log_events.c.type.in_((LOGIN, TOKEN)),
            log_events.c.user_id.is_not(None),
        )
        .distinct()
    )


def _on(day: date) -> Any:
    begins = datetime.combine(day, time(), UTC)
    return and_(
        log_events.c.created_at >= begins, log_events.c.created_at < begins + timedelta(days=1)
    )


def keep_users(db: TenantSession, day: date, users: Sequence[tuple[str, str]]) -> None:
    """Some of the users who were active on a day; twice is once."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    rows = [
        {
            "tenant_id": tenant_id,
            "day": day.isoformat(),
            "user_id": user_id,
            "expires_at": db.now + KEEP,
        }
        for tenant_id, user_id in users
    ]
    if rows:
        db.connection.execute(insert(active_users).on_conflict_do_nothing(), rows)


def keep_day(db: TenantSession, counted: CountedDay) -> None:
    """The counts of a day, and that it was counted."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    days = {**counted.counts, INSTALLATION: ActivityDayFacts(id=counted.day.isoformat())}
    rows = [
        {
            "tenant_id": tenant_id,
            "id": facts.id,
            "active_users": facts.active_users,
            "sign_ups": facts.sign_ups,
            "logins": facts.logins,
            "failed_logins": facts.failed_logins,
            "expires_at": db.now + KEEP,
        }
        for tenant_id, facts in days.items()
    ]
    db.connection.execute(insert(activity_days).on_conflict_do_nothing(), rows)
