"""What is known of a readiness check that somebody has dismissed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

OF_TENANT = ""
"""Stands for the application where a check looks at the tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessDismissalFacts:
    """It counts until `expires_at`, or until it is taken back. `dismissed_by` is the actor's id."""

    application_id: str
    check_name: str
    reason: str
    dismissed_by: str
    dismissed_at: datetime
    expires_at: datetime | None
