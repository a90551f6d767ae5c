"""Who hashes passwords for this process: a few processes of low priority, begun when needed.

They take only the time that nothing else wants. On a machine with none to spare logins would wait
for ever, so whoever has waited a while is served by one that takes a small share of its own.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from tenantry.keys.password_process import IDLE, NICE

_COMMAND = (sys.executable, "-m", "tenantry.keys.password_process")
_PATIENCE = 0.5
_PATIENCE_AT_END = 2.0


class PasswordWorkers:
    """Hashes and verifies off the loop, so that logins do not starve tokens."""

    def __init__(self, number: int, priority: str = IDLE) -> None:
        self._first = _Pool(number, priority)
        self._nice = _Pool(1, NICE)

    async def hash(self, password: str) -> str:
        return str(await self._ask("hash", password))

    async def verify(self, password: str, stored: str | None) -> bool:
        """False for a wrong password, and for a missing or unreadable hash in the same time."""
        return await self._ask("verify", password, stored) is True

    def close(self) -> None:
        self._first.close()
        self._nice.close()

    async def _ask(self, *question: str | None) -> Any:
        first = self._first.ask(question)
        answered, _ = await asyncio.wait([first], timeout=_PATIENCE)
        if answered:
            return first.result()
        second = self._nice.ask(question)
        answered, others = await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            other.cancel()
        return answered.pop().result()


class _Pool:
    """So many threads, each with a process."""

    def __init__(self, number: int, priority: str) -> None:
        self._pool = ThreadPoolExecutor(number, f"passwords-{priority}")
        self._priority = priority
        self._of_thread = threading.local()
        self._processes: list[_Process] = []

    def ask(self, question: tuple[str | None, ...]) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._pool, self._ask_now, question)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.close()

    def _ask_now(self, question: tuple[str | None, ...]) -> Any:
        process: _Process | None = getattr(self._of_thread, "process", None)
        if process is None:
            process = self._of_thread.process = _Process(self._priority)
            self._processes.append(process)
        return process.ask(question)


class _Process:
    def __init__(self, priority: str) -> None:
        self._priority = priority
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, question: tuple[str | None, ...]) -> Any:
        """What the process answers; one that died meanwhile is replaced once."""
        line = f"{json.dumps(question)}\n".encode()
        answer = self._exchange(line) or self._exchange(line)
        if not answer:
            raise RuntimeError("the process that hashes passwords ends at once")
        return json.loads(answer)

    def _exchange(self, line: bytes) -> bytes:
        if self._process is None:
            self._process = subprocess.Popen(
                (*_COMMAND, self._priority), stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        answer = b""
        with suppress(OSError):
            if self._process.stdin and self._process.stdout:
                self._process.stdin.write(line)
                self._process.stdin.flush()
                answer = self._process.stdout.readline()
        if not answer:
            self.close()
        return answer

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            with suppress(OSError):  # What was not yet written has no reader.
                process.stdin.close()
        try:
            process.wait(_PATIENCE_AT_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()
