"""Every process follows a change of configuration within a second, and remembers until then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tenantry.core.clock import Clock
from tenantry.core.context import SYSTEM, Caller
from tenantry.core.facts import ConnectionFacts
from tenantry.keys.vault import Vault
from tenantry.store import cache, connections, epochs, tables
from tenantry.store.cache import Configuration
from tenantry.store.database import Database
from tenantry.store.epochs import PostgresqlEpochs, bump, epoch_reader
from tenantry.store.unit_of_work import Store, TenantSession
from tests.store.seeds import fill, row, writing
from tests.support.databases import Databases, Kind
from tests.support.loops import run_apart

TENANT = "tenant"
CALLER = Caller(SYSTEM)
Process = tuple[Store, Configuration]
NewProcess = Callable[[], AbstractContextManager[Process]]


@contextmanager
def process_on(url: str, vault: Vault) -> Iterator[Process]:
    """A store and a configuration, as another process has them."""
    store = Store(Database(url), Clock(), vault)
    configuration = Configuration(store, epoch_reader(store.database))
    try:
        yield store, configuration
    finally:
        configuration.close()
        store.close()


@pytest.fixture
def start(kind: Kind, databases: Databases, vault: Vault) -> Iterator[NewProcess]:
    """Starts processes on one database, with one connection in it."""
    with databases.url(kind) as url:
        database = Database(url)
        for tenant in (TENANT, "other"):
            named = row(tables.connections, tenant_id=tenant, id="one", name="one")
            fill(database, tables.connections, named | {"display_name": "old"})
        database.close()
        yield lambda: process_on(url, vault)


def rename(db: TenantSession, name: str) -> None:
    current = connections.find(db, "one")
    assert current
    connections.change(db, current, {"display_name": name})


def name_in(configuration: Configuration) -> str | None:
    """What a new request sees."""
    configuration.refresh(TENANT)
    found: ConnectionFacts | None = run_apart(
        configuration.get(TENANT, connections.find_by_name, "one")
    )
    return found.display_name if found else None


def seconds_until(condition: Callable[[], bool]) -> float:
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > 5:
            pytest.fail("it never happened")
        time.sleep(0.01)
    return time.monotonic() - began


def follow(writer: Process, reader: Process) -> None:
    """Three changes, each seen at once by the writer and within a second by the reader."""
    for name in ("first", "second", "third"):
        before = name_in(reader[1])
        assert before == name_in(reader[1]) != name
        writer[0].write_now(TENANT, CALLER, rename, name)
        assert name_in(writer[1]) == name
        assert seconds_until(lambda name=name: name_in(reader[1]) == name) < 1  # type: ignore[misc]


def test_a_change_is_followed_within_a_second(start: NewProcess) -> None:
    with start() as writer, start() as reader:
        follow(writer, reader)


def _listeners(store: Store) -> list[int]:
    with store.database.engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND query LIKE 'LISTEN%%'"
        )
        return list(found.scalars())


@pytest.mark.parametrize("kind", [pytest.param("postgresql", marks=pytest.mark.postgresql)])
class TestPostgresql:
    def test_the_poll_alone_is_quick_enough(
        self, start: NewProcess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deaf = lambda self: self._stop.wait()  # noqa: E731
        monkeypatch.setattr(PostgresqlEpochs, "_listen_once", deaf)
        with start() as writer, start() as reader:
            assert _listeners(reader[0]) == []
            follow(writer, reader)

    def test_listening_alone_is_quick_enough(
        self, start: NewProcess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(PostgresqlEpochs, "_poll", lambda self: None)
        with start() as writer, start() as reader:
            seconds_until(lambda: len(_listeners(reader[0])) == 2)
            follow(writer, reader)

    def test_a_listener_that_was_cut_off_listens_again(
        self, start: NewProcess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(PostgresqlEpochs, "_poll", lambda self: None)
        with start() as writer, start() as reader:
            seconds_until(lambda: len(_listeners(reader[0])) == 2)
            assert name_in(reader[1]) == "old"
            cut = _listeners(writer[0])
            with writer[0].database.engine.connect() as connection:
                for pid in cut:
                    connection.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
            writer[0].write_now(TENANT, CALLER, rename, "while deaf")
            seconds_until(lambda: name_in(reader[1]) == "while deaf")
            seconds_until(lambda: len(set(_listeners(reader[0])) - set(cut)) == 2)
            follow(writer, reader)

    def test_a_database_that_went_away_is_read_again(self, start: NewProcess) -> None:
        with start() as writer, start() as reader:
            assert name_in(reader[1]) == "old"
            with writer[0].database.engine.connect() as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND usename = current_user"
                    " AND pid <> pg_backend_pid()"
                )
            writer[0].write_now(TENANT, CALLER, rename, "after")
            assert seconds_until(lambda: name_in(reader[1]) == "after") < 3
            follow(writer, reader)

    def test_an_epoch_that_is_read_while_it_is_dropped_is_not_kept(
        self, start: NewProcess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(PostgresqlEpochs, "_poll", lambda self: None)
        with start() as (store, configuration):
            seconds_until(lambda: len(_listeners(store)) == 1)
            reader = configuration._epochs
            assert isinstance(reader, PostgresqlEpochs)
            connect = store.database.engine.connect
            pending = [True]

            def connect_and_lose() -> object:
                # What is committed between the read and the remembering of what was read.
                connection = connect()
                if pending and pending.pop():
                    found = connection.execute(tables.epochs.select()).all()
                    assert found == []
                    connection.rollback()
                    kept = connection.execute

                    def late(*args: object) -> object:
                        result = kept(*args)  # type: ignore[call-overload]
                        store.write_now(TENANT, CALLER, rename, "meanwhile")
                        return result

                    monkeypatch.setattr(connection, "execute", late)
                return connection

            monkeypatch.setattr(store.database.engine, "connect", connect_and_lose)
            assert reader.current(TENANT) == 0
            assert reader.current(TENANT) == 1


class Counting:
    """A loader that counts its calls."""

    def __init__(self) -> None:
        self.__qualname__ = "counting"
        self.calls = 0

    def __call__(self, db: TenantSession, key: str) -> ConnectionFacts | None:
        self.calls += 1
        return connections.find_by_name(db, key)


def test_what_is_found_is_remembered_until_its_tenant_changes(start: NewProcess) -> None:
    with start() as (store, configuration):
        load = Counting()

        def get(tenant: str) -> str:
            found = run_apart(configuration.get(tenant, load, "one"))
            assert found
            return found.display_name

        assert [get(TENANT), get("other"), get(TENANT)] == ["old"] * 3
        assert load.calls == 2
        store.write_now(TENANT, CALLER, rename, "new")
        assert [get(TENANT), get("other"), get(TENANT)] == ["new", "old", "new"]
        assert load.calls == 3


def test_what_is_missing_is_remembered_until_a_bump(start: NewProcess) -> None:
    with start() as (store, configuration):
        load = Counting()

        def get() -> ConnectionFacts | None:
            return run_apart(configuration.get(TENANT, load, "two"))

        assert [get(), get(), get()] == [None] * 3
        assert load.calls == 1
        named = row(tables.connections, tenant_id=TENANT, id="two", name="two")
        fill(store.database, tables.connections, named)
        assert get() is None
        writing(store, TENANT, bump)
        assert get() is not None
        assert load.calls == 2


def test_the_memory_is_bounded(start: NewProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_CAPACITY", 5)
    monkeypatch.setattr(cache, "_MISS_CAPACITY", 3)
    with start() as (store, configuration):
        names = [f"name{number}" for number in range(20)]
        fill(
            store.database,
            tables.connections,
            *(row(tables.connections, tenant_id=TENANT, id=name, name=name) for name in names),
        )
        for name in names:
            assert run_apart(configuration.get(TENANT, connections.find_by_name, name))
            missing = configuration.get(TENANT, connections.find_by_name, f"no {name}")
            assert run_apart(missing) is None
        assert (len(configuration._found), len(configuration._missing)) == (5, 3)
        load = Counting()
        for name in [*names[:5], *names[:5]]:
            run_apart(configuration.get(TENANT, load, name))
        assert load.calls == 5
        for number, calls in ((0, 5), (9, 6), (0, 6), (4, 6), (1, 7)):
            # What was used longest ago made room for name9.
            run_apart(configuration.get(TENANT, load, names[number]))
            assert load.calls == calls


def test_many_epochs_are_compared_in_parts(
    start: NewProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "_POLL_BATCH", 2)
    with start() as writer, start() as reader:
        for number in range(7):
            writing(writer[0], f"{number}", bump)
        seen = reader[1]._epochs
        assert [seen.current(f"{number}") for number in range(7)] == [1] * 7
        for number in range(7):
            writing(writer[0], f"{number}", bump)

        def followed() -> bool:
            seen.refresh(*(f"{number}" for number in range(7)))
            return {seen.current(f"{number}") for number in range(7)} == {2}

        assert seconds_until(followed) < 1
