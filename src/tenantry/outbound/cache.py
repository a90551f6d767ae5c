"""Documents that were fetched: kept for a while, and asked for again only so often.

Law: an entry is found by its tenant and its URL together; the number of entries is bounded.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenantry.core.clock import Clock
from tenantry.outbound.http import OutboundClient, OutboundError

TTL = timedelta(minutes=5)
MIN_INTERVAL = timedelta(seconds=10)
_MAX_ENTRIES = 1_000


@dataclass(frozen=True, slots=True)
class _Entry:
    """What the last attempt gave; `text` is None where it failed."""

    asked_at: datetime
    text: str | None


class DocumentCache:
    """One per process. Requests that need the same document wait for one fetch."""

    def __init__(self, client: OutboundClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._fetches: dict[tuple[str, str], asyncio.Task[_Entry]] = {}

    async def get(self, tenant_id: str, url: str, accept: str) -> str | None:
        """The document, at most five minutes old; None where it could not be had."""
        entry = self._entries.get((tenant_id, url))
        if entry is None or self._clock.now() - entry.asked_at >= self._age(entry):
            return await self._fetch(tenant_id, url, accept)
        return entry.text

    async def get_again(self, tenant_id: str, url: str, accept: str) -> str | None:
        """A newer document than the one that lacks something, if it is time to ask again."""
        entry = self._entries.get((tenant_id, url))
        if entry is not None and self._clock.now() - entry.asked_at < MIN_INTERVAL:
            return entry.text
        return await self._fetch(tenant_id, url, accept)

    @staticmethod
    def _age(entry: _Entry) -> timedelta:
        return MIN_INTERVAL if entry.text is None else TTL

    async def _fetch(self, tenant_id: str, url: str, accept: str) -> str | None:
        key = (tenant_id, url)
        task = self._fetches.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(url, accept))
            self._fetches[key] = task
            task.add_done_callback(lambda done: self._keep(key, done))
        # Shielded: one who waits may go away, and the others still get the answer.
        return (await asyncio.shield(task)).text

    async def _ask(self, url: str, accept: str) -> _Entry:
        asked_at = self._clock.now()
        try:
            body = await self._client.get(url, accept)
            return _Entry(asked_at, body.decode())
        except (OutboundError, UnicodeDecodeError):
            return _Entry(asked_at, None)

    def _keep(self, key: tuple[str, str], task: asyncio.Task[_Entry]) -> None:
        self._fetches.pop(key, None)
        if task.cancelled() or task.exception() is not None:
            return
        self._entries[key] = task.result()
        self._entries.move_to_end(key)
        while len(self._entries) > _MAX_ENTRIES:
            self._entries.popitem(last=False)
