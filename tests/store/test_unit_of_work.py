"""A unit of work commits what returns, rolls back what raises, and waits its turn."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from contextlib import nullcontext

import pytest
from sqlalchemy.exc import InternalError

from tenantry.core.clock import Clock
from tenantry.core.context import SYSTEM, Caller
from tenantry.keys.vault import Vault
from tenantry.store import installation, tables
from tenantry.store.database import Database
from tenantry.store.epochs import bump
from tenantry.store.unit_of_work import INSTALLATION, Store, TenantSession
from tests.store.seeds import add, number_of, row, writing
from tests.support.databases import Databases
from tests.support.loops import run_apart

CALLER = Caller(SYSTEM)


def add_lease(db: TenantSession, name: str) -> str:
    add(db.connection, tables.leases, row(tables.leases, name=name))
    return name


def test_what_returns_is_committed(store: Store) -> None:
    assert store.write_now("tenant", CALLER, add_lease, "one") == "one"
    assert run_apart(store.write("tenant", CALLER, add_lease, "two")) == "two"
    assert number_of(store.database, "leases") == [2]


@pytest.mark.parametrize("error", [ArithmeticError, KeyboardInterrupt, asyncio.CancelledError])
def test_every_exception_rolls_back(store: Store, error: type[BaseException]) -> None:
    def fail(db: TenantSession) -> None:
        add_lease(db, "one")
        raise error

    with pytest.raises(error):
        writing(store, "tenant", fail)
    assert number_of(store.database, "leases") == [0]
    assert store.write_now("tenant", CALLER, add_lease, "one") == "one"


def test_a_refusal_inside_leaves_the_unit_usable(store: Store) -> None:
    def twice(db: TenantSession) -> None:
        add_lease(db, "one")
        with pytest.raises(Exception, match="leases"), db.connection.begin_nested():
            add_lease(db, "one")
        add_lease(db, "two")

    writing(store, "tenant", twice)
    assert number_of(store.database, "leases") == [2]


def test_what_a_reader_writes_is_lost(store: Store) -> None:
    refused = nullcontext() if store.database.is_sqlite else pytest.raises(InternalError)
    with refused:
        store.read_now("tenant", CALLER, add_lease, "one")
    assert number_of(store.database, "leases") == [0]


def test_a_reader_sees_what_is_committed_only(store: Store) -> None:
    def write(db: TenantSession) -> None:
        add_lease(db, "one")
        with ThreadedReader(store) as found:
            assert found == [0]

    writing(store, "tenant", write)
    with ThreadedReader(store) as found:
        assert found == [1]


class ThreadedReader:
    """Counts the leases from a thread of its own."""

    def __init__(self, store: Store) -> None:
        self._found: list[int] = []
        self._thread = threading.Thread(
            target=lambda: self._found.extend(number_of(store.database, "leases"))
        )

    def __enter__(self) -> list[int]:
        self._thread.start()
        self._thread.join(10)
        return self._found

    def __exit__(self, *_: object) -> None: ...


def test_changes_are_announced_after_the_commit(store: Store) -> None:
    announced: list[tuple[set[str], list[int]]] = []
    store.on_change = lambda scopes: announced.append(
        (set(scopes), number_of(store.database, "epochs"))
    )

    def change(db: TenantSession) -> None:
        bump(db)
        bump(db.for_tenant("other"))
        assert announced == []

    writing(store, "tenant", change)
    assert announced == [({"tenant", "other"}, [2])]


def test_what_is_rolled_back_is_not_announced(store: Store) -> None:
    announced: list[set[str]] = []
    store.on_change = announced.append

    def fail(db: TenantSession) -> None:
        bump(db)
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        writing(store, "tenant", fail)
    store.write_now("tenant", CALLER, add_lease, "one")
    assert announced == []


def test_a_session_says_who_and_when(store: Store, clock: Clock) -> None:
    clock.advance(3600)
    session: TenantSession = writing(store, "tenant", lambda db: db)
    assert (session.tenant_id, session.caller) == ("tenant", CALLER)
    assert abs((clock.now() - session.now).total_seconds()) < 5
    assert session.for_tenant("other").tenant_id == "other"
    assert session.for_tenant("other").now == session.now


def test_writers_in_threads_do_not_fail(store: Store) -> None:
    names = [str(number) for number in range(100)]

    async def write_all() -> list[str]:
        writes = (store.write("tenant", CALLER, add_lease, name) for name in names)
        return await asyncio.gather(*writes)

    assert run_apart(write_all()) == names
    assert number_of(store.database, "leases") == [100]


GREEDY = """
import sys, time
from tenantry.store.database import Database
database = Database(sys.argv[1])
print("ready", flush=True)
while True:
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE epochs SET value = value + 1")
        time.sleep(0.04)
"""


def test_a_writer_in_another_process_does_not_starve_this_one(
    databases: Databases, vault: Vault
) -> None:
    with databases.database("sqlite") as database:
        store = Store(database, Clock(), vault)
        writing(store, INSTALLATION, lambda db: bump(db))
        others = [
            subprocess.Popen(
                [sys.executable, "-c", GREEDY, str(database.url)], stdout=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        try:
            for other in others:
                assert other.stdout
                assert other.stdout.readline() == "ready\n"
            while _epoch(database) < 4:
                assert all(other.poll() is None for other in others)
            theirs = []
            for turn in range(3):
                before = _epoch(database)
                for number in range(10):
                    store.write_now("tenant", CALLER, add_lease, f"{turn}-{number}")
                theirs.append(_epoch(database) - before)
        finally:
            for other in others:
                other.kill()
                other.communicate()
        # Counted in turns, so that a slow machine does not matter: one each would be 20. The least
        # of three, because this process may wait for a processor as well as for its turn.
        assert min(theirs) < 60
        store.close()


def _epoch(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute(tables.epochs.select()).one().value)


def test_a_closed_store_lets_go_of_its_files(databases: Databases, vault: Vault) -> None:
    with databases.url("sqlite") as url:
        for _ in range(3):
            store = Store(Database(url), Clock(), vault)
            assert writing(store, INSTALLATION, installation.is_empty)
            store.close()
            store.database.close()
