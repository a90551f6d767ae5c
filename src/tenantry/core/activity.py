"""What is known of the activity in a tenant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityDayFacts:
    """One day of UTC; `id` is its date."""

    id: str
    active_users: int = 0
    sign_ups: int = 0
    logins: int = 0
    failed_logins: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What a tenant has now."""

    users: int
    applications: int
    resource_servers: int
    connections: int
