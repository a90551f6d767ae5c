"""Group commit: what concurrent requests write becomes durable by one commit."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from tenantry.core.errors import Overloaded

T = TypeVar("T")
R = TypeVar("R")

_CAPACITY = 4096


class GroupCommit(Generic[T, R]):
    """Items wait here for a thread of their own; a full queue refuses.

    `write` writes a batch in one transaction and returns the result of each item.
    """

    def __init__(self, name: str, write: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._name = name
        self._write = write
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, item: T) -> asyncio.Future[R]:
        """Done when the item is durable, failed when it could not be written; see `begin`."""
        if self._closing or len(self._waiting) >= _CAPACITY:
            raise Overloaded
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        return done

    def begin(self) -> None:
        """Writes what waits, once the batch before is written."""
        self._wake.set()

    def _run(self) -> None:
        while not (self._closing and not self._waiting):
            self._wake.wait()
            self._wake.clear()
            if self._waiting:
                self._commit()

    def _commit(self) -> None:
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        futures = [done for _, done in batch]
        results: Sequence[R] = ()
        error: Exception | None = None
        try:
            results = self._write([item for item, _ in batch])
        except Exception as raised:  # Every waiting request must hear of it.
            error = raised
        with contextlib.suppress(RuntimeError):  # The loop is closed: nobody waits any more.
            futures[0].get_loop().call_soon_threadsafe(_finish, futures, results, error)

    def close(self) -> None:
        """Writes what waits, then ends."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)


def _finish(
    futures: Sequence[asyncio.Future[R]], results: Sequence[R], error: Exception | None
) -> None:
    for index, future in enumerate(futures):
        if future.done():
            continue
        if error is None:
            future.set_result(results[index])
        else:
            future.set_exception(error)
