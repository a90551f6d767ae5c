"""The log as a stream: who reads on from where it stood misses nothing and sees nothing twice."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tenantry.core.clock import Clock
from tenantry.core.context import SYSTEM, Caller
from tenantry.keys.vault import Vault
from tenantry.services.log_feed import MAX_OF_CALLER, LogFeed, TooManyFollow
from tenantry.store import audit, log_feed
from tenantry.store.audit import Event
from tenantry.store.audit_queue import AuditQueue
from tenantry.store.database import Database
from tenantry.store.log_positions import Position
from tenantry.store.unit_of_work import Store, TenantSession
from tests.store.seeds import wait_until_settled
from tests.support.databases import Databases
from tests.support.loops import run_apart

WRITER = """
import asyncio, sys
from tenantry.core.clock import Clock
from tenantry.core.context import SYSTEM, Caller
from tenantry.keys.vault import Vault
from tenantry.store import audit
from tenantry.store.audit import Event
from tenantry.store.database import Database
from tenantry.store.audit_queue import AuditQueue
from tenantry.store.unit_of_work import Store

url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
database = Database(url)
store = Store(database, Clock(), Vault([bytes(32)]))
queue = AuditQueue(database, Clock())

def unit(db, number):
    audit.record(db, Event("unit.first", user_id=f"{name}-{number}-a"))
    audit.record(db, Event("unit.second", user_id=f"{name}-{number}-b"))

async def main():
    for number in range(count):
        await asyncio.gather(
            store.write("one", Caller(SYSTEM), unit, number),
            queue.submit("one", Caller(SYSTEM), Event("group.one", user_id=f"{name}-{number}-c")),
            queue.submit("two", Caller(SYSTEM), Event("group.two", user_id="other")),
        )

asyncio.run(main())
queue.close()
"""


def read(store: Store, after: Position, limit: int = 7, *types: str) -> tuple[list[str], Position]:
    """The users that the next events name, and where they end."""
    found = store.read_now("one", Caller(SYSTEM), log_feed.read, after, types, limit)
    users = [str(placed.event.user_id) for placed in found]
    return users, (found[-1].position, found[-1].event.id) if found else after


def add(store: Store, *users: str, tenant: str = "one") -> None:
    """An event for each user, each in a transaction of its own."""
    for user in users:
        store.write_now(tenant, Caller(SYSTEM), audit.record, Event("x.y", user_id=user))


def test_many_processes_write_and_every_event_is_read_once(
    database: Database, store: Store
) -> None:
    """Transactions of several processes overlap; a reader that resumes after each page gets all."""
    writers, count = 4, 40
    url = database.url.render_as_string(hide_password=False)
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, url, f"w{number}", str(count)])
        for number in range(writers)
    ]
    seen: list[str] = []
    after: Position = (0, "")
    deadline = time.monotonic() + 60
    pages_while_writing = 0
    while len(seen) < writers * count * 3 and time.monotonic() < deadline:
        users, after = read(store, after)
        seen += users
        pages_while_writing += bool(users) and any(p.poll() is None for p in processes)
    assert [process.wait(30) for process in processes] == [0] * writers
    seen += read(store, after)[0]
    expected = {
        f"w{writer}-{number}-{part}"
        for writer in range(writers)
        for number in range(count)
        for part in "abc"
    }
    assert len(seen) == len(set(seen))
    assert set(seen) == expected
    assert pages_while_writing > 3


@pytest.mark.postgresql
def test_an_older_transaction_left_open_holds_back_what_follows(
    databases: Databases, vault: Vault
) -> None:
    """What committed above it is not read before it, or its own rows would be missed."""
    with databases.database("postgresql") as database:
        store = Store(database, Clock(), vault)
        add(store, "before")
        wait_until_settled(database)
        open_, may_end = threading.Event(), threading.Event()

        def slow(db: TenantSession) -> None:
            audit.record(db, Event("x.y", user_id="slow"))
            open_.set()
            may_end.wait(20)

        with ThreadPoolExecutor(1) as pool:
            slow_unit = pool.submit(store.write_now, "one", Caller(SYSTEM), slow)
            assert open_.wait(20)
            begins = store.read_now("one", Caller(SYSTEM), log_feed.head)
            add(store, "quick")
            first, after = read(store, (0, ""))
            assert first == ["before"]
            assert read(store, after)[0] == []
            may_end.set()
            slow_unit.result(20)
        wait_until_settled(database)
        assert read(store, after)[0] == ["slow", "quick"]
        assert read(store, begins)[0] == ["slow", "quick"]
        store.close()


def test_reading_on(store: Store) -> None:
    begins = store.read_now("one", Caller(SYSTEM), log_feed.head)
    add(store, "a", "b")
    add(store, "foreign", tenant="two")
    add(store, "c")
    wait_until_settled(store.database)
    assert read(store, (0, ""))[0] == ["a", "b", "c"]
    assert read(store, begins)[0] == ["a", "b", "c"]
    first, after = read(store, begins, 2)
    assert (first, read(store, after)[0]) == (["a", "b"], ["c"])
    assert read(store, begins, 9, "x.*")[0] == ["a", "b", "c"]
    assert read(store, begins, 9, "other.*", "x.z")[0] == []
    head = store.read_now("one", Caller(SYSTEM), log_feed.head)
    assert read(store, head)[0] == []


def test_followers_hear_of_other_processes_within_a_second(store: Store, vault: Vault) -> None:
    """One task looks for all of them, and each reads from its own place."""
    url = store.database.url.render_as_string(hide_password=False)
    other = Store(Database(url), store.clock, vault)

    async def run() -> None:
        feed = LogFeed(store)
        begins = await feed.head("one")
        seen: list[list[str]] = [[], [], []]

        async def follow(number: int) -> None:
            async for placed in feed.follow("one", f"caller {number}", begins, (), 5):
                if placed is not None:
                    seen[number].append(str(placed.event.user_id))

        tasks = [asyncio.create_task(follow(number)) for number in range(3)]
        await asyncio.sleep(0.5)
        for batch in (["a", "b"], ["c"]):
            await asyncio.to_thread(add, other, *batch)
            expected = ["a", "b", "c"] if batch == ["c"] else batch
            async with asyncio.timeout(1):
                while any(users != expected for users in seen):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        feed.close()
        async with asyncio.timeout(2):
            await asyncio.gather(*tasks)

    run_apart(run())
    other.close()


def test_a_caller_follows_so_often_and_the_next_is_refused(store: Store) -> None:
    async def run() -> None:
        feed = LogFeed(store)
        open_ = [feed.follow("one", "me", (0, ""), (), 0.01) for _ in range(MAX_OF_CALLER)]
        for following in open_:
            assert await anext(following) is None
        with pytest.raises(TooManyFollow):
            await anext(feed.follow("one", "me", (0, ""), (), 0.01))
        assert await anext(feed.follow("one", "another", (0, ""), (), 0.01)) is None
        assert await anext(feed.follow("two", "me", (0, ""), (), 0.01)) is None
        await open_[0].aclose()
        assert await anext(feed.follow("one", "me", (0, ""), (), 0.01)) is None
        for following in open_:
            await following.aclose()
        feed.close()

    run_apart(run())


def test_the_queue_and_units_of_work_share_one_order(database: Database, store: Store) -> None:
    queue = AuditQueue(database, store.clock)

    async def submit(user: str) -> None:
        await queue.submit("one", Caller(SYSTEM), Event("x.y", user_id=user))

    for number in range(6):
        if number % 2:
            run_apart(submit(str(number)))
        else:
            add(store, str(number))
    queue.close()
    wait_until_settled(database)
    assert read(store, (0, ""))[0] == [str(number) for number in range(6)]
