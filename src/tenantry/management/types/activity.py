"""Activity as the schema shows it."""

from __future__ import annotations

from datetime import date

import strawberry

from tenantry.core.activity import ActivityDayFacts
from tenantry.management.types.common import publish
from tenantry.services.activity import ActivityFacts, PeriodFacts

_ACTIVE = "signed in or got a token"


@strawberry.type(description="One day of UTC.")
class ActivityDay:
    date: date = strawberry.field(description="The day.")
    active_users: int = strawberry.field(description=f"How many different users {_ACTIVE}.")
    sign_ups: int = strawberry.field(description="How many users were made.")
    logins: int = strawberry.field(description="How often somebody signed in.")
    failed_logins: int = strawberry.field(description="How often signing in failed.")

    @classmethod
    def of(cls, facts: ActivityDayFacts) -> ActivityDay:
        return publish(cls, facts, date=date.fromisoformat(facts.id))


@strawberry.type(description="Some days in a row, summed up.")
class ActivityPeriod:
    first_day: date = strawberry.field(description="Its first day, in UTC.")
    last_day: date = strawberry.field(description="Its last day, in UTC.")
    active_users: int = strawberry.field(
        description=f"How many different users {_ACTIVE} on any of the days."
    )
    retention: float | None = strawberry.field(
        description=(
            "Active users in percent of the users that there are now; null if there are none."
        )
    )
    sign_ups: int = strawberry.field(description="How many users were made.")
    logins: int = strawberry.field(description="How often somebody signed in.")
    failed_logins: int = strawberry.field(description="How often signing in failed.")

    @classmethod
    def of(cls, facts: PeriodFacts, users: int) -> ActivityPeriod:
        retention = round(100 * facts.active_users / users, 2) if users else None
        return publish(cls, facts, first_day=facts.first, last_day=facts.last, retention=retention)


@strawberry.type(
    description=(
        "The change from the period before, in percent; null where there was nothing before."
    )
)
class ActivityChange:
    active_users: float | None = strawberry.field(description="Of active users.")
    sign_ups: float | None = strawberry.field(description="Of users made.")
    logins: float | None = strawberry.field(description="Of logins.")
    failed_logins: float | None = strawberry.field(description="Of failed logins.")

    @classmethod
    def of(cls, before: PeriodFacts, after: PeriodFacts) -> ActivityChange:
        return cls(
            active_users=_percent(before.active_users, after.active_users),
            sign_ups=_percent(before.sign_ups, after.sign_ups),
            logins=_percent(before.logins, after.logins),
            failed_logins=_percent(before.failed_logins, after.failed_logins),
        )


@strawberry.type(
    description=(
        "How much a tenant is used. Days are counted from the audit log a few minutes after they "
        "end in UTC, and kept for 800 days, also when the log is not."
    )
)
class Activity:
    days: list[ActivityDay] = strawberry.field(description="Each day of the period.")
    period: ActivityPeriod = strawberry.field(description="The days summed up.")
    previous: ActivityPeriod = strawberry.field(description="As many days, just before the period.")
    change: ActivityChange = strawberry.field(description="The period against the one before.")
    users: int = strawberry.field(description="How many users there are now.")
    applications: int = strawberry.field(description="How many applications there are now.")
    resource_servers: int = strawberry.field(description="How many APIs there are now.")
    connections: int = strawberry.field(description="How many connections there are now.")

    @classmethod
    def of(cls, facts: ActivityFacts) -> Activity:
        users = facts.totals.users
        return publish(
            cls,
            facts.totals,
            days=[ActivityDay.of(day) for day in facts.period.days],
            period=ActivityPeriod.of(facts.period, users),
            previous=ActivityPeriod.of(facts.previous, users),
            change=ActivityChange.of(facts.previous, facts.period),
        )


def _percent(before: int, after: int) -> float | None:
    return round(100 * (after - before) / before, 2) if before else None
