"""Who follows the audit log in this process: one look at the table serves them all.

A task looks several times a second which tenants have something new and wakes those who follow
them. Each reads on from its own place, so that nobody misses anything, however slow it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence

from tenantry.core.context import SYSTEM, Caller
from tenantry.core.log_streams import PlacedEvent
from tenantry.store import dispatch, log_feed
from tenantry.store.log_positions import Position
from tenantry.store.unit_of_work import INSTALLATION, Store

MAX_OF_CALLER = 10
MAX_OF_TENANT = 100
_INTERVAL = 0.25
_RETRY = 1.0
_PAGE = 100
_log = logging.getLogger(__name__)


class TooManyFollow(Exception):
    """The caller or the tenant has as many subscriptions as a process gives it."""


class LogFeed:
    """One per process. The task runs while somebody follows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._followers: dict[str, set[asyncio.Event]] = {}
        self._of_caller: Counter[tuple[str, str]] = Counter()
        self._last: dict[str, Position] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def head(self, tenant_id: str) -> Position:
        """The place from which what happens now follows."""
        return await self._store.read(tenant_id, Caller(SYSTEM), log_feed.head)

    async def follow(
        self,
        tenant_id: str,
        caller: str,
        after: Position,
        types: Sequence[str],
        patience: float,
    ) -> AsyncGenerator[PlacedEvent | None, None]:
        """Every event after a place, as they come, until the process ends.

        None where nothing came for `patience` seconds.
        """
        with self._following(tenant_id, caller) as woken:
            while not self._closed:
                woken.clear()
                found = await self._store.read(
                    tenant_id, Caller(SYSTEM), log_feed.read, after, types, _PAGE
                )
                for placed in found:
                    yield placed
                    after = (placed.position, placed.event.id)
                if len(found) == _PAGE or self._closed:
                    continue
                try:
                    await asyncio.wait_for(woken.wait(), patience)
                except TimeoutError:
                    yield None

    @contextlib.contextmanager
    def _following(self, tenant_id: str, caller: str) -> Iterator[asyncio.Event]:
        own = (tenant_id, caller)
        followers = self._followers.get(tenant_id, set())
        if self._of_caller[own] >= MAX_OF_CALLER or len(followers) >= MAX_OF_TENANT:
            raise TooManyFollow
        woken = asyncio.Event()
        self._of_caller[own] += 1
        self._followers.setdefault(tenant_id, followers).add(woken)
        if self._task is None and not self._closed:
            self._task = asyncio.create_task(self._look_on())
        try:
            yield woken
        finally:
            followers.discard(woken)
            if not followers:
                self._followers.pop(tenant_id, None)
                self._last.pop(tenant_id, None)
            self._of_caller[own] -= 1
            if not self._of_caller[own]:
                del self._of_caller[own]

    def close(self) -> None:
        """Ends every following."""
        self._closed = True
        for followers in self._followers.values():
            for woken in followers:
                woken.set()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _look_on(self) -> None:
        while self._followers:
            try:
                await self._look()
            except Exception:
                _log.exception("the log could not be read and is tried again in a second")
                await asyncio.sleep(_RETRY)
            await asyncio.sleep(_INTERVAL)
        self._task = None

    async def _look(self) -> None:
        tenants = tuple(self._followers)
        found = await self._store.read(
            INSTALLATION, Caller(SYSTEM), dispatch.latest_events, tenants
        )
        for tenant_id, position in found.items():
            if self._last.get(tenant_id) != position:
                self._last[tenant_id] = position
                for woken in self._followers.get(tenant_id, ()):
                    woken.set()
