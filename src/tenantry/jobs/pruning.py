"""Pruning: what has expired, what was deleted and old log events go, in bounded batches."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from tenantry.core.context import SYSTEM, Caller
from tenantry.store import installation
from tenantry.store.unit_of_work import INSTALLATION, Store, TenantSession

_BATCH_ROWS = 500
_INTERVAL = 60.0
_PAUSE = 0.05
_LEASE_SECONDS = 180
_log = logging.getLogger(__name__)


async def prune_forever(store: Store, holder: str, log_retention: timedelta) -> None:
    """Prunes each minute until cancelled. `holder` names this process. Errors are logged."""
    while True:
        try:
            await prune(store, holder, log_retention)
        except Exception:
            _log.exception("pruning failed and is tried again in %d seconds", _INTERVAL)
        await asyncio.sleep(_INTERVAL)


async def prune(store: Store, holder: str, log_retention: timedelta) -> int:
    """Prunes until nothing is left or another process holds the lease. Returns the rows."""
    pruned = 0
    while True:
        rows = await store.write(
            INSTALLATION, Caller(SYSTEM), prune_batch, holder, log_retention, _BATCH_ROWS
        )
        if not rows:
            return pruned
        pruned += rows
        await asyncio.sleep(_PAUSE)  # Other writers get through here.


def prune_batch(
    db: TenantSession, holder: str, log_retention: timedelta, limit: int = _BATCH_ROWS
) -> int:
    """Prunes at most `limit` rows of each kind, and none without the lease."""
    if not installation.take_lease(db, "pruning", holder, _LEASE_SECONDS):
        return 0
    return (
        installation.prune_expired(db, limit)
        + installation.prune_log_events(db, db.now - log_retention, limit)
        + installation.prune_deleted_application(db, limit)
        + installation.prune_deleted_tenant(db, limit)
    )
