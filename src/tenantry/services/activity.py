"""Activity over some days, beside the same number of days before them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, timedelta

from tenantry.core.activity import ActivityDayFacts, Totals
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.store import activity
from tenantry.store.unit_of_work import TenantSession

MAX_DAYS = 366
DEFAULT_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodFacts:
    """Sums of a period; `active_users` counts each user once."""

    first: date
    last: date
    active_users: int
    sign_ups: int
    logins: int
    failed_logins: int
    days: tuple[ActivityDayFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityFacts:
    period: PeriodFacts
    previous: PeriodFacts
    totals: Totals


def overview(
    db: TenantSession, days: int | None, first: date | None, last: date | None
) -> ActivityFacts:
    """The last days, today left out, or the days from `first` to `last`."""
    first, last = _range(db, days, first, last)
    length = timedelta(days=(last - first).days + 1)
    return ActivityFacts(
        period=_period(db, first, last),
        previous=_period(db, first - length, first - timedelta(days=1)),
        totals=activity.totals(db),
    )


def _range(
    db: TenantSession, days: int | None, first: date | None, last: date | None
) -> tuple[date, date]:
    today = db.now.astimezone(UTC).date()
    if (first is None) != (last is None) or (first is not None and days is not None):
        raise DomainError(ErrorCode.INVALID, "Give `days`, or `from` and `to`.")
    if first is None or last is None:
        number = DEFAULT_DAYS if days is None else days
        if not 1 <= number <= MAX_DAYS:
            raise DomainError(ErrorCode.OUT_OF_RANGE, f"`days` must be from 1 to {MAX_DAYS}.")
        return today - timedelta(days=number), today - timedelta(days=1)
    if not first <= last < today or (last - first).days >= MAX_DAYS or first.year < 2000:
        raise DomainError(
            ErrorCode.OUT_OF_RANGE,
            f"`to` must be before today and from 0 to {MAX_DAYS - 1} days after `from`.",
        )
    return first, last


def _period(db: TenantSession, first: date, last: date) -> PeriodFacts:
    found = {day.id: day for day in activity.days(db, first.isoformat(), last.isoformat())}
    dates = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    days = tuple(found.get(day.isoformat(), ActivityDayFacts(id=day.isoformat())) for day in dates)
    return PeriodFacts(
        first=first,
        last=last,
        active_users=activity.users_active(db, first.isoformat(), last.isoformat()),
        sign_ups=sum(day.sign_ups for day in days),
        logins=sum(day.logins for day in days),
        failed_logins=sum(day.failed_logins for day in days),
        days=days,
    )
