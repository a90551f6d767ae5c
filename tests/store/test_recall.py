"""What units of work take from the memory of the process: never older, never what was undone."""

from collections.abc import Iterator

import pytest

from tenantry.core.context import SYSTEM, Caller
from tenantry.store import tables
from tenantry.store.cache import Configuration
from tenantry.store.epochs import bump, epoch_reader
from tenantry.store.unit_of_work import Store, TenantSession, recall
from tests.store.seeds import add, row

CALLER = Caller(SYSTEM)
TENANT = "tenant"


@pytest.fixture
def configuration(store: Store) -> Iterator[Configuration]:
    made = Configuration(store, epoch_reader(store.database))
    yield made
    made.close()


class Counted:
    """A loader that counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, db: TenantSession, key: str) -> int:
        self.calls += 1
        return len(db.connection.execute(tables.leases.select()).all())


def change(db: TenantSession, name: str) -> None:
    add(db.connection, tables.leases, row(tables.leases, name=name))
    bump(db)


@pytest.mark.usefixtures("configuration")
def test_what_has_not_changed_is_read_once(store: Store) -> None:
    count = Counted()
    assert store.read_now(TENANT, CALLER, recall, count, "leases") == 0
    assert store.write_now(TENANT, CALLER, recall, count, "leases") == 0
    assert count.calls == 1
    store.write_now(TENANT, CALLER, change, "one")
    assert store.write_now(TENANT, CALLER, recall, count, "leases") == 1
    assert count.calls == 2


@pytest.mark.usefixtures("configuration")
def test_a_unit_sees_what_it_changed_itself(store: Store) -> None:
    count = Counted()

    def undone(db: TenantSession) -> None:
        assert recall(db, count, "leases") == 0
        change(db, "one")
        assert recall(db, count, "leases") == 1
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        store.write_now(TENANT, CALLER, undone)
    store.write_now(TENANT, CALLER, bump)
    assert store.read_now(TENANT, CALLER, recall, count, "leases") == 0


def test_what_nobody_asks_for_is_forgotten(
    store: Store, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {f"tenant {number}": Counted() for number in range(20)}
    for tenant, count in counts.items():
        store.read_now(tenant, CALLER, recall, count, "leases")
    assert {key[0] for key in configuration._found.remembered()} == counts.keys()
    monkeypatch.setattr("tenantry.store.cache._IDLE_SECONDS", -1)
    configuration.refresh("tenant 3")
    store.read_now("tenant 3", CALLER, recall, counts["tenant 3"], "leases")
    configuration.refresh("tenant 3")
    # Fewer where the listener begins in this moment, which forgets them all.
    assert configuration._epochs._known.keys() <= {"tenant 3"}  # type: ignore[attr-defined]
    assert {key[0] for key in configuration._found.remembered()} == {"tenant 3"}
    monkeypatch.undo()
    for tenant, count in counts.items():
        store.read_now(tenant, CALLER, recall, count, "leases")
        assert count.calls == (1 if tenant == "tenant 3" else 2)
    store.write_now("tenant 5", CALLER, change, "one")
    assert store.read_now("tenant 5", CALLER, recall, counts["tenant 5"], "leases") == 1
    assert counts["tenant 5"].calls == 3


def test_an_old_snapshot_is_not_remembered_as_new(
    store: Store, configuration: Configuration
) -> None:
    count = Counted()

    def slow(db: TenantSession) -> None:
        db.connection.execute(tables.leases.select()).all()
        store.write_now(TENANT, CALLER, change, "one")
        configuration.refresh(TENANT)
        recall(db, count, "leases")

    store.read_now(TENANT, CALLER, slow)
    assert store.read_now(TENANT, CALLER, recall, count, "leases") == 1
