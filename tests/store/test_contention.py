"""What PostgreSQL takes back in favour of another transaction runs again, a few times."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from tenantry.core.clock import Clock
from tenantry.core.context import SYSTEM, Caller
from tenantry.core.errors import Contended, DomainError, ErrorCode
from tenantry.keys.vault import Vault
from tenantry.store import client_grants, tables, users
from tenantry.store.unit_of_work import ATTEMPTS, Store, TenantSession
from tests.store.seeds import fill, row
from tests.support.databases import Databases

pytestmark = pytest.mark.postgresql
CALLER = Caller(SYSTEM)


@pytest.fixture
def store(databases: Databases, clock: Clock, vault: Vault) -> Iterator[Store]:
    with databases.database("postgresql") as database:
        made = Store(database, clock, vault)
        fill(database, tables.leases, row(tables.leases, "a", name="a"))
        fill(database, tables.leases, row(tables.leases, "b", name="b"))
        yield made
        made.close()


def holders(store: Store) -> dict[str, str]:
    with store.database.reading() as connection:
        found = connection.execute(select(tables.leases.c.name, tables.leases.c.holder)).all()
    return {row.name: row.holder for row in found}


def write(db: TenantSession, name: str, holder: str) -> None:
    change = update(tables.leases).where(tables.leases.c.name == name).values(holder=holder)
    db.connection.execute(change)


def test_of_two_that_wait_for_each_other_both_come_to_their_end(store: Store) -> None:
    both_hold_one = threading.Barrier(2, timeout=10)
    begun: list[str] = []

    def cross(db: TenantSession, first: str, second: str, holder: str) -> str:
        begun.append(holder)
        write(db, first, holder)
        if begun.count(holder) == 1:
            both_hold_one.wait()
        write(db, second, holder)
        return holder

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(store.write_now, "tenant", CALLER, cross, "a", "b", "one")
        two = pool.submit(store.write_now, "tenant", CALLER, cross, "b", "a", "two")
        assert (one.result(20), two.result(20)) == ("one", "two")
    assert len(begun) == 3
    assert len(set(holders(store).values())) == 1


def test_a_serialization_failure_runs_again(store: Store) -> None:
    attempts: list[str] = []

    def counted(db: TenantSession) -> None:
        db.connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        held = db.connection.execute(
            select(tables.leases.c.holder).where(tables.leases.c.name == "a")
        ).scalar_one()
        attempts.append(held)
        if len(attempts) == 1:
            with store.database.writing() as other:
                other.execute(update(tables.leases).values(holder="meanwhile"))
        write(db, "a", f"{held} seen")

    store.write_now("tenant", CALLER, counted)
    assert attempts == ["a", "meanwhile"]
    assert holders(store) == {"a": "meanwhile seen", "b": "meanwhile"}


@pytest.mark.parametrize(
    "error, tried", [("DeadlockDetected", ATTEMPTS), ("SerializationFailure", ATTEMPTS)]
)
def test_what_never_gets_through_is_told_so(store: Store, error: str, tried: int) -> None:
    attempts = 0

    def never(db: TenantSession) -> None:
        nonlocal attempts
        attempts += 1
        write(db, "a", "lost")
        state = {"DeadlockDetected": "40P01", "SerializationFailure": "40001"}[error]
        db.connection.execute(text(f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$"))

    with pytest.raises(Contended):
        store.write_now("tenant", CALLER, never)
    assert attempts == tried
    assert holders(store)["a"] == "a"


def test_another_error_is_not_tried_again(store: Store) -> None:
    attempts = 0

    def broken(db: TenantSession) -> None:
        nonlocal attempts
        attempts += 1
        db.connection.execute(text("SELECT 1 / 0"))

    with pytest.raises(DBAPIError):
        store.write_now("tenant", CALLER, broken)
    assert attempts == 1


def test_what_is_removed_while_another_changes_it_is_not_lost(store: Store) -> None:
    """The removal names the revision that its caller saw."""
    made = row(tables.users, tenant_id="tenant", id="one", revision=1)
    fill(store.database, tables.users, made)

    def overtaken(db: TenantSession) -> None:
        current = users.find(db, "one")
        assert current is not None
        with store.database.writing() as other:
            other.execute(update(tables.users).values(revision=4))
        users.delete(db, current, 1)

    with pytest.raises(DomainError) as refused:
        store.write_now("tenant", CALLER, overtaken)
    assert (refused.value.code, refused.value.current_revision) == (ErrorCode.CONFLICT, 4)


def test_of_two_removals_one_is_told_that_nothing_is_there(store: Store) -> None:
    made = row(tables.client_grants, tenant_id="tenant", id="one", revision=1)
    fill(store.database, tables.client_grants, made)

    def late(db: TenantSession) -> None:
        current = client_grants.find(db, "one")
        assert current is not None
        with store.database.writing() as other:
            other.execute(tables.client_grants.delete())
        client_grants.delete(db, current)

    with pytest.raises(DomainError) as refused:
        store.write_now("tenant", CALLER, late)
    assert refused.value.code is ErrorCode.NOT_FOUND
