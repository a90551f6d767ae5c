"""The server's processes: imported once, then forked, so that they start at once and share memory.

The parent only watches. A worker that dies is replaced; SIGTERM and SIGINT end all of them; workers
end by themselves when their parent is gone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

import uvicorn

_ENDING_SECONDS = 8
_RESTART_SECONDS = 1
_WATCH_SECONDS = 0.1
_Signals = (signal.SIGTERM, signal.SIGINT)


def run(config: uvicorn.Config, workers: int, when_started: Callable[[], None]) -> int:
    """Serves until a signal. Returns the exit status. `when_started` runs in the parent."""
    listener = config.bind_socket()
    if workers == 1:
        when_started()
        _Server(config).run(sockets=[listener])
        return 0
    return _Parent(config, listener, workers).watch(when_started)


class _Server(uvicorn.Server):
    """Ends streams before it waits for the answers that are under way."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        stop = getattr(self.config.loaded_app, "stop", None)
        if stop is not None:
            stop()
        await super().shutdown(sockets)


class _Parent:
    def __init__(self, config: uvicorn.Config, listener: socket.socket, workers: int) -> None:
        self._config = config
        self._listener = listener
        self._workers = workers
        self._alive: set[int] = set()
        self._ending = False
        # Nobody writes: the workers' end says that the parent is gone.
        self._life, self._held = os.pipe()

    def watch(self, when_started: Callable[[], None]) -> int:
        for number in _Signals:
            signal.signal(number, self._end)
        for _ in range(self._workers):
            self._fork()
        when_started()
        while not self._ending:
            ended = self._wait_for_one()
            if ended and not self._ending:
                sys.stderr.write(f"worker {ended} ended and is replaced\n")
                time.sleep(_RESTART_SECONDS)
                self._fork()
        self._finish()
        return 0

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._ending = True
        for pid in self._alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def _wait_for_one(self) -> int:
        for pid in list(self._alive):
            if os.waitpid(pid, os.WNOHANG)[0]:
                self._alive.discard(pid)
                return pid
        time.sleep(_WATCH_SECONDS)
        return 0

    def _fork(self) -> None:
        pid = os.fork()
        if pid:
            self._alive.add(pid)
            return
        status = 1
        try:
            os.close(self._held)
            for number in _Signals:
                signal.signal(number, signal.SIG_DFL)
            threading.Thread(target=self._end_with_parent, name="parent", daemon=True).start()
            _Server(self._config).run(sockets=[self._listener])
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _end_with_parent(self) -> None:
        os.read(self._life, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _finish(self) -> None:
        deadline = time.monotonic() + _ENDING_SECONDS
        while self._alive and time.monotonic() < deadline:
            self._wait_for_one()
        for pid in self._alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
