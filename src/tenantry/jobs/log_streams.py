"""Log streams: batches of events to signed webhooks, in order and at least once.

One process sends a stream at a time, by a lease. A batch that fails is tried again, later each
time, and holds back what follows it; after the last try it is kept aside and the next one goes.
Signed as the Standard Webhooks specification says: `webhook-id`, `webhook-timestamp`,
`webhook-signature`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.context import SYSTEM, Caller
from tenantry.jobs.outbox import pause
from tenantry.outbound.http import OutboundClient, OutboundError
from tenantry.services.log_events import published_event
from tenantry.store import dispatch, log_stream_failures, log_streams
from tenantry.store.audit import Event, record
from tenantry.store.log_stream_failures import Batch
from tenantry.store.unit_of_work import INSTALLATION, Store, TenantSession

MAX_ATTEMPTS = 10
MAX_FAILED_BATCHES = 3
"""So many given up one after the other suspend a stream."""
BATCH_EVENTS = 100
_SECRET_PREFIX = "whsec_"
_AT_ONCE = 8
_INTERVAL = 1.0
_LEASE_SECONDS = 60
_TIMEOUT = 30.0
_MAX_ERROR = 300
_GONE = 410
_log = logging.getLogger(__name__)


class DeliveryRefused(Exception):
    """The receiver did not take it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


async def stream_forever(store: Store, outbound: OutboundClient) -> None:
    """Sends what is due until cancelled; a slow receiver keeps none of the others waiting."""
    running: dict[tuple[str, str], asyncio.Task[int]] = {}
    try:
        while True:
            running = {key: task for key, task in running.items() if not task.done()}
            try:
                if len(running) < _AT_ONCE:
                    for key in await _due(store, _AT_ONCE):
                        if key not in running and len(running) < _AT_ONCE:
                            running[key] = asyncio.create_task(_stream(store, outbound, *key))
            except Exception:
                _log.exception("log streams failed and are tried again in %d seconds", _INTERVAL)
            await asyncio.sleep(_INTERVAL)
    finally:
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)


async def stream(store: Store, outbound: OutboundClient) -> int:
    """Sends until nothing is due. Returns how many batches were tried."""
    attempts = 0
    while due := await _due(store, _AT_ONCE):
        made = sum(await asyncio.gather(*(_stream(store, outbound, *key) for key in due)))
        if not made:
            break
        attempts += made
    return attempts


async def _due(store: Store, limit: int) -> tuple[tuple[str, str], ...]:
    return await store.read(INSTALLATION, Caller(SYSTEM), dispatch.due_streams, limit)


async def _stream(store: Store, outbound: OutboundClient, tenant_id: str, id: str) -> int:
    """Sends batches of one stream until one fails or nothing waits."""
    attempts = 0
    try:
        while batch := await store.write(
            tenant_id, Caller(SYSTEM), log_streams.claim, id, _LEASE_SECONDS, BATCH_EVENTS
        ):
            attempts += 1
            if not await _attempt(store, outbound, tenant_id, batch):
                break
    except Exception:
        _log.exception("log stream %s failed", id)
    return attempts


async def _attempt(store: Store, outbound: OutboundClient, tenant_id: str, batch: Batch) -> bool:
    body = _body(tenant_id, batch)
    try:
        async with asyncio.timeout(_TIMEOUT):
            await _send(store, outbound, batch.url, batch.secret, batch.id, body)
    except Exception as failure:
        error = _told(failure)[:_MAX_ERROR]
        gone = isinstance(failure, DeliveryRefused) and failure.status == _GONE
        await store.write(tenant_id, Caller(SYSTEM), _fail, batch, body, error, gone=gone)
        return False
    return await store.write(tenant_id, Caller(SYSTEM), log_streams.delivered, batch)


def _told(failure: Exception) -> str:
    """For an administrator, who sees it as the last error of the stream."""
    if isinstance(failure, DeliveryRefused):
        return f"The receiver answered with {failure}."
    if isinstance(failure, OutboundError):
        return f"The receiver was not asked, or gave no answer: {failure}."
    if isinstance(failure, TimeoutError):
        return f"The receiver took more than {_TIMEOUT:.0f} seconds."
    return f"{type(failure).__name__}: {failure}"


def _fail(db: TenantSession, batch: Batch, body: str, error: str, *, gone: bool) -> None:
    if not gone and batch.attempts < MAX_ATTEMPTS:
        log_streams.postpone(db, batch, db.now + pause(batch.attempts), error)
        return
    suspends = gone or batch.failed_batches + 1 >= MAX_FAILED_BATCHES
    if suspends:
        # The batch is not lost: it is the next one when the stream is active again.
        if log_streams.suspend(db, batch, error):
            _note(db, "log_stream.suspended", batch, error)
    elif log_streams.give_up(db, batch, body, error):
        _note(db, "log_stream.batch_failed", batch, error)


def _note(db: TenantSession, type: str, batch: Batch, error: str) -> None:
    details = {"attempts": batch.attempts, "events": len(batch.events), "error": error}
    target = {"target_type": "LogStream", "target_id": batch.stream_id}
    record(db, Event(type, details=details, **target))


def _body(tenant_id: str, batch: Batch) -> str:
    """The same for each attempt, so that a receiver may know it again."""
    events = [published_event(placed.event, tenant_id) for placed in batch.events]
    content = {
        "type": "log_events",
        "timestamp": events[-1]["createdAt"],
        "data": {"events": events},
    }
    return json.dumps(content, separators=(",", ":"))


def signature(secret: str, message_id: str, sent_at: int, body: str) -> str:
    key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX))
    digest = hmac.digest(key, f"{message_id}.{sent_at}.{body}".encode(), hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


async def _send(
    store: Store, outbound: OutboundClient, url: str, secret: str, message_id: str, body: str
) -> None:
    sent_at = timestamp(store.clock.now())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(sent_at),
        "webhook-signature": signature(secret, message_id, sent_at, body),
    }
    answer = await outbound.send("POST", url, headers, body.encode())
    if not 200 <= answer.status < 300:
        raise DeliveryRefused(answer.status)


async def redeliver(
    store: Store, outbound: OutboundClient, tenant_id: str, payload: Mapping[str, Any]
) -> None:
    """Sends a batch again that was given up; a message of the outbox."""
    failure = await store.read(
        tenant_id, Caller(SYSTEM), log_stream_failures.find, payload["failure_id"]
    )
    if failure is None:
        return
    address = await store.read(tenant_id, Caller(SYSTEM), log_streams.address, failure.stream_id)
    if address is None:
        return
    url, secret = address
    await _send(store, outbound, url, secret, failure.id, failure.payload)
    await store.write(tenant_id, Caller(SYSTEM), log_stream_failures.delete, failure.id)
