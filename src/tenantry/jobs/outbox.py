"""The outbox: what was promised in a transaction is sent after it, again and again if need be.

Any process may send, and one sends each message: a lease is one conditional update. A message is
sent at least once; what it says must bear a repetition.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from tenantry.core.context import SYSTEM, Caller
from tenantry.core.errors import RefusedForGood
from tenantry.store import dispatch, outbox
from tenantry.store.audit import Event, record
from tenantry.store.outbox import DeliveryFacts, DeliveryState
from tenantry.store.unit_of_work import INSTALLATION, Store, TenantSession

Handler = Callable[[str, Mapping[str, Any]], Awaitable[None]]
"""Sends a message of one kind, given the tenant and the payload; raises where it failed."""

MAX_ATTEMPTS = 10
_FIRST_PAUSE = 10.0
_LONGEST_PAUSE = 3600.0
_BATCH = 10
_INTERVAL = 1.0
_LEASE_SECONDS = 60
_TIMEOUT = 30.0
_MAX_ERROR = 300
_chance = random.SystemRandom()
_log = logging.getLogger(__name__)


async def deliver_forever(store: Store, handlers: Mapping[str, Handler]) -> None:
    """Delivers what is due until cancelled. Errors of the database are logged."""
    while True:
        try:
            await deliver(store, handlers)
        except Exception:
            _log.exception("the outbox failed and is tried again in %d seconds", _INTERVAL)
        await asyncio.sleep(_INTERVAL)


async def deliver(store: Store, handlers: Mapping[str, Handler]) -> int:
    """Sends what is due until nothing is. Returns how many attempts were made."""
    attempts = 0
    while await store.read(INSTALLATION, Caller(SYSTEM), dispatch.has_due):
        leased = await store.write(
            INSTALLATION, Caller(SYSTEM), dispatch.lease, _LEASE_SECONDS, _BATCH
        )
        if not leased:
            break
        await asyncio.gather(*(_attempt(store, handlers, delivery) for delivery in leased))
        attempts += len(leased)
    return attempts


async def _attempt(store: Store, handlers: Mapping[str, Handler], delivery: DeliveryFacts) -> None:
    payload: dict[str, Any] = {}
    error: str | None = None
    last = delivery.attempts >= MAX_ATTEMPTS
    try:
        payload = await store.read(delivery.tenant_id, Caller(SYSTEM), outbox.opened, delivery)
        async with asyncio.timeout(_TIMEOUT):
            await handlers[delivery.kind](delivery.tenant_id, payload)
    except Exception as failure:
        error = f"{type(failure).__name__}: {failure}"[:_MAX_ERROR]
        last |= isinstance(failure, RefusedForGood)
    await store.write(delivery.tenant_id, Caller(SYSTEM), _settle, delivery, payload, error, last)


def _settle(
    db: TenantSession,
    delivery: DeliveryFacts,
    payload: Mapping[str, Any],
    error: str | None,
    last: bool,
) -> None:
    if error is None:
        outbox.finish(db, delivery, DeliveryState.DELIVERED)
        return
    if not last:
        outbox.postpone(db, delivery, db.now + pause(delivery.attempts), error)
        return
    if outbox.finish(db, delivery, DeliveryState.DEAD, error):
        details = {"kind": delivery.kind, "attempts": delivery.attempts, "error": error}
        client_id, user_id = payload.get("client_id"), payload.get("user_id")
        record(db, Event("delivery.failed", client_id, user_id, details=details))


def pause(attempts: int) -> timedelta:
    """Twice as long after each attempt, give or take a half, so that many do not come at once."""
    seconds = min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE)
    return timedelta(seconds=seconds * _chance.uniform(0.5, 1.5))
