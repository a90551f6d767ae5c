"""The audit rows of requests that write nothing else, by group commit."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tenantry.core.clock import Clock
from tenantry.core.context import Caller
from tenantry.store import log_positions
from tenantry.store.audit import EVENT_COLUMNS, Event, event_row
from tenantry.store.database import Database
from tenantry.store.fast_insert import FastInsert
from tenantry.store.group_commit import GroupCommit

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
        self._expected = 0
        self._gathering = False
        self._rows: GroupCommit[Mapping[str, Any], None] = GroupCommit("audit", self._write)
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
        if 0 < len(self._rows) >= self._expected:
            self._rows.begin()

    def submit(self, tenant_id: str, caller: Caller, event: Event) -> asyncio.Future[None]:
        """Done when the row is durable; failed when it could not be written."""
        done = self._rows.put(event_row(tenant_id, caller, self._clock.now(), event))
        if len(self._rows) >= self._expected:
            self._rows.begin()
        elif not self._gathering:
            self._gathering = True
            done.get_loop().call_later(_GATHER_SECONDS, self._gathered)
        return done

    def _gathered(self) -> None:
        self._gathering = False
        self._rows.begin()

    def _write(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[None]:
        with self._database.writing() as connection:
            log_positions.begin(connection, is_sqlite=self._database.is_sqlite)
            self._insert.run(connection, rows)
        return [None] * len(rows)

    def close(self) -> None:
        """Writes what waits, then ends."""
        self._rows.close()
