"""Group commit: audit rows of concurrent requests become durable by one commit."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

from tenantry.core.clock import Clock
from tenantry.core.context import Caller
from tenantry.core.errors import Overloaded
from tenantry.store import log_positions
from tenantry.store.audit import EVENT_COLUMNS, Event, event_row
from tenantry.store.database import Database
from tenantry.store.fast_insert import FastInsert

_CAPACITY = 4096
_GATHER_SECONDS = 0.003


class Expectation:
    """That a request will submit a row soon."""

    def __init__(self, queue: AuditQueue) -> None:
        self._queue: AuditQueue | None = queue

    def end(self) -> None:
        """It will not, or it has."""
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.no_longer_expects()


class AuditQueue:
    """Rows wait here for the writer thread; a full queue refuses."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: deque[tuple[dict[str, Any], asyncio.Future[None]]] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._expected = 0
        self._gathering = False
        self._thread: threading.Thread | None = None
        statement = log_positions.insertion(EVENT_COLUMNS, is_sqlite=database.is_sqlite)
        self._insert = FastInsert(statement, database.engine.dialect)

    @contextlib.contextmanager
    def expecting(self) -> Iterator[Expectation]:
        """Around a request that will submit a row: a commit waits some milliseconds for it."""
        expectation = Expectation(self)
        self._expected += 1
        try:
            yield expectation
        finally:
            expectation.end()

    def no_longer_expects(self) -> None:
        self._expected -= 1
        if self._waiting and len(self._waiting) >= self._expected:
            self._wake.set()

    def submit(self, tenant_id: str, caller: Caller, event: Event) -> asyncio.Future[None]:
        """Done when the row is durable; failed when it could not be written."""
        if self._closing or len(self._waiting) >= _CAPACITY:
            raise Overloaded
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
            self._thread.start()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((event_row(tenant_id, caller, self._clock.now(), event), done))
        if len(self._waiting) >= self._expected:
            self._wake.set()
        elif not self._gathering:
            self._gathering = True
            done.get_loop().call_later(_GATHER_SECONDS, self._gathered)
        return done

    def _gathered(self) -> None:
        self._gathering = False
        self._wake.set()

    def _run(self) -> None:
        while not (self._closing and not self._waiting):
            self._wake.wait()
            self._wake.clear()
            if self._waiting:
                self._commit()

    def _commit(self) -> None:
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        error: Exception | None = None
        try:
            with self._database.writing() as connection:
                log_positions.begin(connection, is_sqlite=self._database.is_sqlite)
                self._insert.run(connection, [row for row, _ in batch])
        except Exception as raised:  # Every waiting request must hear of it.
            error = raised
        loop = batch[0][1].get_loop()
        with contextlib.suppress(RuntimeError):  # The loop is closed: nobody waits any more.
            loop.call_soon_threadsafe(_finish, [done for _, done in batch], error)

    def close(self) -> None:
        """Writes what waits, then ends."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)


def _finish(futures: list[asyncio.Future[None]], error: Exception | None) -> None:
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
