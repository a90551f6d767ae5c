"""Time, in one place, so that a test can move it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """The wall clock in UTC, with an offset that tests advance."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> None:
        self._offset += timedelta(seconds=seconds)


def timestamp(moment: datetime) -> int:
    """Whole seconds since the epoch: the `NumericDate` of RFC 7519 §2."""
    return int(moment.timestamp())
