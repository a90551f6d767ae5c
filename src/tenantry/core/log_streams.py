"""What is known of streams of the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tenantry.core.facts import LogEventFacts, Stored


class LogStreamStatus(StrEnum):
    """Only an active stream is sent anything; each keeps its place."""

    ACTIVE = "active"
    PAUSED = "paused"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStreamFacts(Stored):
    """A webhook that is sent the audit log."""

    name: str
    url: str
    event_types: tuple[str, ...]
    status: LogStreamStatus
    last_delivered_at: datetime | None
    last_failed_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStreamFailureFacts:
    """A batch that was given up. `id` is that of its message."""

    id: str
    stream_id: str
    payload: str
    event_count: int
    attempts: int
    error: str
    created_at: datetime
    redelivery_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """An event and its place in the log."""

    position: int
    event: LogEventFacts
