"""Concurrent audit rows share commits and are durable when their futures are done."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from tenantry.core.clock import Clock
from tenantry.core.context import Actor, Caller, RequestFacts
from tenantry.core.errors import Overloaded
from tenantry.store import group_commit, tables
from tenantry.store.audit import Event
from tenantry.store.audit_queue import AuditQueue
from tenantry.store.database import Database
from tests.store.seeds import number_of
from tests.support.databases import Databases, Kind
from tests.support.loops import run_apart

CALLER = Caller(Actor("application", "client", "Name", "tenant"), RequestFacts("id", "::1", "test"))


class Gated(Database):
    """Counts its commits, and holds them back or fails them while the test says so."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.commits = 0
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        assert self.gate.wait(10)
        if self.error is not None:
            raise self.error
        with super().writing() as connection:
            yield connection
        self.commits += 1


@pytest.fixture
def gated(kind: Kind, databases: Databases) -> Iterator[Gated]:
    with databases.url(kind) as url:
        database = Gated(url)
        yield database
        database.close()


@pytest.fixture
def queue(gated: Gated) -> Iterator[AuditQueue]:
    made = AuditQueue(gated, Clock())
    yield made
    gated.gate.set()
    made.close()


def rows(database: Database) -> int:
    return number_of(database, "log_events")[0]


def test_concurrent_rows_share_commits(gated: Gated, queue: AuditQueue) -> None:
    async def submit() -> None:
        gated.gate.clear()
        futures = [queue.submit("tenant", CALLER, Event(f"type{n}")) for n in range(1500)]
        await asyncio.sleep(0.05)
        assert not any(future.done() for future in futures)
        gated.gate.set()
        await asyncio.gather(*futures)
        assert rows(gated) == 1500

    run_apart(submit())
    assert gated.commits <= 3


def test_a_commit_waits_for_the_requests_that_are_under_way(
    gated: Gated, queue: AuditQueue
) -> None:
    async def request(number: int) -> None:
        with queue.expecting():
            await asyncio.sleep(0.0001 * number)
            await queue.submit("tenant", CALLER, Event("type"))

    async def requests() -> None:
        await asyncio.gather(*(request(number) for number in range(10)))
        assert rows(gated) == 10
        # One that never submits holds nobody up for long.
        with queue.expecting():
            await asyncio.wait_for(queue.submit("tenant", CALLER, Event("type")), 1)

    run_apart(requests())
    assert gated.commits <= 4


def test_a_row_is_durable_when_its_future_is_done(gated: Gated, queue: AuditQueue) -> None:
    async def submit() -> None:
        for number in range(20):
            await queue.submit("tenant", CALLER, Event("type", user_id=str(number)))
            assert rows(gated) == number + 1

    run_apart(submit())
    assert gated.commits == 20
    with gated.reading() as connection:
        found = connection.execute(tables.log_events.select()).first()
    assert found
    assert (found.tenant_id, found.actor_id, found.ip) == ("tenant", "client", "::1")


def test_a_full_queue_refuses(
    gated: Gated, queue: AuditQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "_CAPACITY", 10)

    async def submit() -> None:
        gated.gate.clear()
        accepted: list[asyncio.Future[None]] = []

        async def submit_many() -> None:
            for _ in range(100):
                accepted.append(queue.submit("tenant", CALLER, Event("type")))
                await asyncio.sleep(0.001)

        with pytest.raises(Overloaded) as refusal:
            await submit_many()
        assert refusal.value.retry_after >= 1
        assert 10 <= len(accepted) <= 20  # One batch is on its way.
        gated.gate.set()
        await asyncio.gather(*accepted)
        assert rows(gated) == len(accepted)
        await queue.submit("tenant", CALLER, Event("type"))

    run_apart(submit())


def test_a_database_that_fails_fails_the_futures(gated: Gated, queue: AuditQueue) -> None:
    async def submit() -> None:
        gated.error = ArithmeticError("no disk")
        futures = [queue.submit("tenant", CALLER, Event("type")) for _ in range(3)]
        answers = await asyncio.gather(*futures, return_exceptions=True)
        assert [str(answer) for answer in answers] == ["no disk"] * 3
        gated.error = None
        await queue.submit("tenant", CALLER, Event("type"))
        assert rows(gated) == 1

    run_apart(submit())


def test_a_caller_that_left_does_not_disturb_the_others(gated: Gated, queue: AuditQueue) -> None:
    async def submit() -> None:
        gated.gate.clear()
        futures = [queue.submit("tenant", CALLER, Event("type")) for _ in range(3)]
        futures[1].cancel()
        gated.gate.set()
        await asyncio.gather(futures[0], futures[2])
        assert rows(gated) == 3

    run_apart(submit())


def test_a_loop_that_ended_does_not_disturb_the_next(gated: Gated, queue: AuditQueue) -> None:
    async def submit() -> None:
        gated.gate.clear()
        queue.submit("tenant", CALLER, Event("left"))
        await asyncio.sleep(0.05)

    async def submit_and_wait() -> None:
        await asyncio.wait_for(queue.submit("tenant", CALLER, Event("type")), 10)

    run_apart(submit())
    gated.gate.set()
    while gated.commits < 1:
        pass
    run_apart(submit_and_wait())
    assert rows(gated) == 2


def test_text_that_no_column_holds_does_not_fail_the_others(
    gated: Gated, queue: AuditQueue
) -> None:
    bad = "a\0b\ud800\u00e9"
    caller = Caller(Actor("anonymous", bad), RequestFacts(bad, "::1", bad))

    async def submit() -> None:
        gated.gate.clear()
        event = Event("type", bad, bad, "x", bad, details={"x": bad, "y": [bad], "z": {bad: bad}})
        futures = [queue.submit("tenant", caller, event), queue.submit("tenant", CALLER, event)]
        gated.gate.set()
        await asyncio.gather(*futures)

    run_apart(submit())
    with gated.reading() as connection:
        found = connection.execute(tables.log_events.select()).all()
    assert {row.client_id for row in found} == {"a\ufffdb?\u00e9"}
    assert found[0].details == {
        "x": "a\ufffdb?\u00e9",
        "y": ["a\ufffdb?\u00e9"],
        "z": {"a\ufffdb?\u00e9": "a\ufffdb?\u00e9"},
    }


def test_closing_writes_what_waits_and_refuses_more(gated: Gated, queue: AuditQueue) -> None:
    async def submit() -> None:
        gated.gate.clear()
        futures = [queue.submit("tenant", CALLER, Event("type")) for _ in range(5)]
        await asyncio.sleep(0.05)
        gated.gate.set()
        await asyncio.to_thread(queue.close)
        assert rows(gated) == 5
        with pytest.raises(Overloaded):
            queue.submit("tenant", CALLER, Event("type"))
        await asyncio.wait_for(asyncio.gather(*futures), 5)

    run_apart(submit())
