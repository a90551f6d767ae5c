"""The outbox: one process sends each message, again after a failure, but not for ever."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from tenantry.core.clock import Clock
from tenantry.core.context import SYSTEM, Caller
from tenantry.jobs import outbox as job
from tenantry.jobs.outbox import MAX_ATTEMPTS, deliver, deliver_forever, pause
from tenantry.keys.vault import Vault
from tenantry.store import audit, dispatch, outbox, tables
from tenantry.store.audit import EventFilter
from tenantry.store.database import Database
from tenantry.store.outbox import DeliveryState
from tenantry.store.pages import PageRequest
from tenantry.store.unit_of_work import INSTALLATION, Store
from tests.store.seeds import writing
from tests.support.loops import run_apart

Sent = list[tuple[str, Mapping[str, Any]]]


@pytest.fixture
def other(database: Database, clock: Clock, vault: Vault) -> Iterator[Store]:
    """Another process's store on the same database."""
    made = Store(Database(database.engine.url.render_as_string(hide_password=False)), clock, vault)
    yield made
    made.close()


def enqueue(store: Store, count: int, tenant: str = "one") -> None:
    def add(db: Any) -> None:
        for number in range(count):
            outbox.enqueue(db, "kind", {"number": number})

    writing(store, tenant, add)


def rows(store: Store) -> list[Any]:
    with store.database.reading() as connection:
        return list(connection.execute(tables.deliveries.select()).all())


def collecting(sent: Sent) -> dict[str, job.Handler]:
    async def handle(tenant_id: str, payload: Mapping[str, Any]) -> None:
        sent.append((tenant_id, payload))

    return {"kind": handle}


async def _fail(tenant_id: str, payload: Mapping[str, Any]) -> None:
    raise ConnectionError("nobody there")


FAILING: dict[str, job.Handler] = {"kind": _fail}


def test_everything_is_sent_once(store: Store) -> None:
    enqueue(store, 15, "one")
    enqueue(store, 10, "two")
    sent: Sent = []
    assert run_apart(deliver(store, collecting(sent))) == 25
    assert run_apart(deliver(store, collecting(sent))) == 0
    assert len(sent) == 25
    assert {tenant for tenant, _ in sent} == {"one", "two"}
    assert {row.state for row in rows(store)} == {DeliveryState.DELIVERED}


def test_two_processes_send_each_message_once(store: Store, other: Store) -> None:
    enqueue(store, 60)
    sent: Sent = []

    async def both() -> tuple[int, int]:
        handlers = collecting(sent)
        return await asyncio.gather(deliver(store, handlers), deliver(other, handlers))

    assert sum(run_apart(both())) == 60
    assert sorted(payload["number"] for _, payload in sent) == list(range(60))


def test_a_message_is_leased_to_one_of_many(store: Store) -> None:
    enqueue(store, 30)
    barrier = threading.Barrier(10)

    def lease(_: int) -> list[str]:
        barrier.wait()
        leased = store.write_now(INSTALLATION, Caller(SYSTEM), dispatch.lease, 60, 10)
        return [delivery.id for delivery in leased]

    with ThreadPoolExecutor(10) as pool:
        ids = [id_ for batch in pool.map(lease, range(10)) for id_ in batch]
    assert len(ids) == len(set(ids))
    assert {row.attempts for row in rows(store) if row.id in ids} == {1}


def test_a_lease_that_ran_out_is_another_attempts(store: Store, clock: Clock) -> None:
    """A process that died sends nothing; one that was only slow does not undo what came after."""
    enqueue(store, 1)

    def lease() -> Any:
        return store.write_now(INSTALLATION, Caller(SYSTEM), dispatch.lease, 60, 10)

    (slow,) = lease()
    assert lease() == ()
    clock.advance(61)
    (second,) = lease()
    assert (slow.attempts, second.attempts) == (1, 2)
    done = writing(store, "one", lambda db: outbox.finish(db, second, DeliveryState.DELIVERED))
    assert done
    assert not writing(store, "one", lambda db: outbox.finish(db, slow, DeliveryState.DEAD, "x"))
    assert not writing(store, "one", lambda db: outbox.postpone(db, slow, db.now, "x"))
    (row,) = rows(store)
    assert (row.state, row.last_error) == (DeliveryState.DELIVERED, None)


def test_a_failure_waits_longer_each_time_and_ends(store: Store, clock: Clock) -> None:
    enqueue(store, 1)
    waits = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert run_apart(deliver(store, FAILING)) == 1
        (row,) = rows(store)
        assert row.attempts == attempt
        assert row.last_error == "ConnectionError: nobody there"
        waits.append((row.due_at - clock.now()).total_seconds())
        assert run_apart(deliver(store, FAILING)) == 0
        clock.advance(5500)
    (row,) = rows(store)
    assert row.state == DeliveryState.DEAD
    assert run_apart(deliver(store, FAILING)) == 0
    for earlier, later in zip(waits[:-1], waits[2:-1], strict=False):
        assert later > earlier, "two attempts later it is longer whatever the jitter"
    page = store.read_now(
        "one", Caller(SYSTEM), audit.page, EventFilter(("delivery.failed",)), PageRequest(10)
    )
    (event,) = page.items
    assert event.details["attempts"] == MAX_ATTEMPTS


def test_pauses_are_bounded_and_differ() -> None:
    for attempts in range(1, 60):
        pauses = {pause(attempts) for _ in range(20)}
        assert len(pauses) > 1
        assert timedelta(seconds=5) <= min(pauses)
        assert max(pauses) <= timedelta(seconds=5400)


def test_one_failure_does_not_hold_up_the_rest(store: Store) -> None:
    enqueue(store, 20)
    sent: Sent = []
    good = collecting(sent)["kind"]

    async def sometimes(tenant_id: str, payload: Mapping[str, Any]) -> None:
        if payload["number"] % 2:
            raise ConnectionError
        await good(tenant_id, payload)

    assert run_apart(deliver(store, {"kind": sometimes})) == 20
    assert len(sent) == 10


def test_an_unknown_kind_and_a_broken_seal_are_failures(store: Store) -> None:
    enqueue(store, 1)
    writing(store, "one", lambda db: outbox.enqueue(db, "of a later release", {}))
    with store.database.writing() as connection:
        broken = tables.deliveries.c.kind == "kind"
        connection.execute(tables.deliveries.update().where(broken).values(payload="v1.x.y"))
    assert run_apart(deliver(store, collecting([]))) == 2
    errors = {row.last_error.partition(":")[0] for row in rows(store)}
    assert errors == {"KeyError", "UndecryptableError"}


def test_errors_of_the_database_are_logged_and_delivery_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    enqueue(store, 3)
    monkeypatch.setattr(job, "_INTERVAL", 0.01)
    real, failures = dispatch.has_due, [ArithmeticError("no disk")]

    def fail_once(*args: Any) -> bool:
        if failures:
            raise failures.pop()
        return real(*args)

    monkeypatch.setattr(dispatch, "has_due", fail_once)
    sent: Sent = []

    async def run() -> None:
        task = asyncio.create_task(deliver_forever(store, collecting(sent)))
        for _ in range(500):
            await asyncio.sleep(0.01)
            if len(sent) == 3:
                break
        assert not task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    with caplog.at_level(logging.ERROR):
        run_apart(run())
    assert len(sent) == 3
    assert [record.name for record in caplog.records] == ["tenantry.jobs.outbox"]
