"""Activity: each day is counted once, soon after it has ended in UTC."""

from __future__ import annotations

import asyncio
import logging
from datetime import date, timedelta

from tenantry.core.context import SYSTEM, Caller
from tenantry.store import activity_counts, installation
from tenantry.store.unit_of_work import INSTALLATION, Store, TenantSession

_INTERVAL = 300.0
_LEASE_SECONDS = 900
_BATCH = 1000
_SETTLED = timedelta(minutes=10)
"""So long after midnight every event of the day before is in the log."""
_log = logging.getLogger(__name__)


async def count_forever(store: Store, holder: str) -> None:
    """Counts until cancelled. `holder` names this process. Errors are logged."""
    while True:
        try:
            await count(store, holder)
        except Exception:
            _log.exception("activity could not be counted; tried again in %d seconds", _INTERVAL)
        await asyncio.sleep(_INTERVAL)


async def count(store: Store, holder: str) -> int:
    """Counts the days that are over and were not counted. Returns how many."""
    counted = 0
    while (day := await store.read(INSTALLATION, Caller(SYSTEM), _next)) is not None:
        if not await store.write(
            INSTALLATION,
            Caller(SYSTEM),
            installation.take_lease,
            "activity",
            holder,
            _LEASE_SECONDS,
        ):
            break
        found = await store.read(INSTALLATION, Caller(SYSTEM), activity_counts.count_day, day)
        for start in range(0, len(found.active), _BATCH):
            batch = found.active[start : start + _BATCH]
            await store.write(INSTALLATION, Caller(SYSTEM), activity_counts.keep_users, day, batch)
        await store.write(INSTALLATION, Caller(SYSTEM), activity_counts.keep_day, found)
        counted += 1
    return counted


def _next(db: TenantSession) -> date | None:
    """The oldest day that is to be counted."""
    last = activity_counts.last_counted(db)
    if last is None:
        first = activity_counts.first_event(db)
        if first is None:
            return None
        day = first.date()
    else:
        day = last + timedelta(days=1)
    return day if day < (db.now - _SETTLED).date() else None
