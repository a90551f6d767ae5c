"""RFC 9470: how lately a person must have signed in to administer."""

from __future__ import annotations

from datetime import datetime, timedelta

from tenantry.core.facts import ApplicationFacts, TenantFacts

MIN_AGE, MAX_AGE = 60, 315_360_000


def is_recent(auth_time: datetime | None, max_age: int | None, now: datetime) -> bool:
    """Whether the sign-in is young enough; one whose time is not known any more is not."""
    if max_age is None:
        return True
    return auth_time is not None and now - auth_time <= timedelta(seconds=max_age)


def default_max_age(application: ApplicationFacts, tenant: TenantFacts) -> int | None:
    """The `max_age` of a request without one: our own pages ask as their API will demand."""
    ages = [application.default_max_age]
    if application.is_system:
        ages.append(tenant.management_max_age)
    return min((age for age in ages if age is not None), default=None)
