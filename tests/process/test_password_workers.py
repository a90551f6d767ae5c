"""Passwords are hashed by processes of low priority, which come and go unnoticed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenantry.keys.password_workers import PasswordWorkers
from tests.support.loops import run_apart


@pytest.fixture
def workers() -> Iterator[PasswordWorkers]:
    made = PasswordWorkers(2)
    yield made
    made.close()


def hashing() -> set[int]:
    """The ids of the processes that hash for this one."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == os.getpid() and b"tenantry.keys.password_process" in command:
            found.add(int(folder.name))
    return found


def idle(processes: set[int]) -> set[int]:
    """Those of the first kind: on a busy machine others help out."""
    return {one for one in processes if os.sched_getscheduler(one) == os.SCHED_IDLE}


def test_what_was_hashed_is_verified(workers: PasswordWorkers) -> None:
    async def run() -> list[bool]:
        stored = await workers.hash("correct hörse\n")
        asked = (
            ("correct hörse\n", stored),
            ("wrong", stored),
            ("wrong", None),
            ("wrong", "no hash"),
        )
        return list(await asyncio.gather(*(workers.verify(*each) for each in asked)))

    assert run_apart(run()) == [True, False, False, False]


def test_they_are_of_low_priority_and_end_with_who_asks(workers: PasswordWorkers) -> None:
    before = hashing()
    run_apart(workers.hash("password"))
    (process,) = idle(hashing() - before)
    workers.close()
    assert process not in hashing()


def test_who_has_waited_a_while_is_served_by_another(workers: PasswordWorkers) -> None:
    before = hashing()
    stored = run_apart(workers.hash("password"))
    (process,) = idle(hashing() - before)
    os.kill(process, signal.SIGSTOP)
    try:
        assert run_apart(workers.verify("password", stored))
        (other,) = hashing() - before - {process}
        assert os.getpriority(os.PRIO_PROCESS, other) > os.getpriority(os.PRIO_PROCESS, 0)
    finally:
        os.kill(process, signal.SIGCONT)


def test_one_that_was_killed_is_replaced(workers: PasswordWorkers) -> None:
    before = hashing()
    stored = run_apart(workers.hash("password"))
    (process,) = idle(hashing() - before)
    os.kill(process, signal.SIGKILL)
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
    assert run_apart(workers.verify("password", stored))
