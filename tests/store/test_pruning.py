"""What has ended goes, in batches, and nothing else does."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Integer, event

from tenantry.core.clock import Clock
from tenantry.core.context import SYSTEM, Caller
from tenantry.jobs import pruning
from tenantry.jobs.pruning import prune, prune_batch, prune_forever
from tenantry.store import installation, tables
from tenantry.store.database import Database
from tenantry.store.unit_of_work import INSTALLATION, Store, TenantSession
from tests.store.seeds import add, fill, number_of, row, writing
from tests.support.loops import run_apart

EXPIRING = [
    "access_tokens",
    "active_users",
    "activity_days",
    "attempts",
    "authorizations",
    "backchannel_requests",
    "deliveries",
    "device_codes",
    "job_chunks",
    "jobs",
    "kept_emails",
    "log_stream_failures",
    "mutation_records",
    "organization_invitations",
    "pushed_requests",
    "readiness_dismissals",
    "refresh_tokens",
    "replay_identifiers",
    "revoked_tokens",
    "session_clients",
    "sessions",
    "token_families",
]
KINDS = len(EXPIRING)
RETENTION = timedelta(days=30)
BOUND = [table for table in tables.metadata.sorted_tables if "tenant_id" in table.columns]


def rows(name: str, count: int, **given: Any) -> list[dict[str, Any]]:
    """Rows of `name` with keys of their own."""
    table = tables.metadata.tables[name]
    keys = [list(table.primary_key), *(list(i.columns) for i in table.indexes if i.unique)]
    unique = {column.name for key in keys for column in key} - {"tenant_id"} - given.keys()
    made = []
    for number in range(count):
        text = f"{number} {given}"
        keyed: dict[str, Any] = {
            name: number if isinstance(table.c[name].type, Integer) else text for name in unique
        }
        made.append(row(table, **given, **keyed))
    return made


def prune_all(store: Store, holder: str = "me") -> int:
    return run_apart(prune(store, holder, RETENTION))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "_PAUSE", 0.001)


def fill_expiring(database: Database, tenant: str, count: int, expires_at: datetime) -> None:
    for name in EXPIRING:
        made = rows(name, count, tenant_id=tenant, expires_at=expires_at)
        fill(database, tables.metadata.tables[name], *made)


def test_every_table_with_an_end_is_pruned() -> None:
    ending = {t.name for t in tables.metadata.sorted_tables if "expires_at" in t.columns}
    # An expired credential stays, for its administrator to see.
    assert ending == {*EXPIRING, "credentials", "leases"}


def test_what_has_expired_goes_and_the_rest_stays(store: Store, clock: Clock) -> None:
    for tenant in ("one", "two"):
        fill_expiring(store.database, tenant, 3, clock.now() - timedelta(seconds=60))
        fill_expiring(store.database, tenant, 2, clock.now() + timedelta(seconds=60))
    assert number_of(store.database, *EXPIRING) == [10] * KINDS
    assert prune_all(store) == KINDS * 6
    assert number_of(store.database, *EXPIRING) == [4] * KINDS
    clock.advance(120)
    assert prune_all(store) == KINDS * 4
    assert number_of(store.database, *EXPIRING) == [0] * KINDS


def test_a_batch_is_bounded(store: Store, clock: Clock) -> None:
    fill_expiring(store.database, "one", 25, clock.now() - timedelta(seconds=60))
    batches = []
    while deleted := writing(store, INSTALLATION, lambda db: prune_batch(db, "me", RETENTION, 10)):
        batches.append(deleted)
    assert batches == [10 * KINDS, 10 * KINDS, 5 * KINDS]


def test_log_events_go_after_their_retention(store: Store, clock: Clock) -> None:
    for days in (1, 29, 31, 400):
        created = clock.now() - timedelta(days=days)
        made = rows("log_events", 3, tenant_id="one", created_at=created)
        fill(store.database, tables.log_events, *made)
    assert prune_all(store) == 6
    assert number_of(store.database, "log_events") == [6]
    clock.advance(2 * 86400)
    assert prune_all(store) == 3


def test_a_deleted_tenant_goes_as_a_whole(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "_BATCH_ROWS", 2)
    later = clock.now() + timedelta(days=1)
    with store.database.writing() as connection:
        for tenant in ("gone", "gone-too", "kept"):
            deleted = None if tenant == "kept" else clock.now()
            values = row(tables.tenants, tenant, id=tenant, name=tenant, deleted_at=deleted)
            add(connection, tables.tenants, values)
            add(connection, tables.epochs, {"scope": tenant, "value": 5})
            for table in BOUND:
                given = {"expires_at": later} if "expires_at" in table.columns else {}
                if table is tables.log_events:
                    given = {"created_at": clock.now()}
                add(connection, table, *rows(table.name, 3, tenant_id=tenant, **given))
    names = [table.name for table in BOUND]
    assert number_of(store.database, *names) == [9] * len(names)
    prune_all(store)
    assert number_of(store.database, *names) == [3] * len(names)
    with store.database.reading() as connection:
        for table in BOUND:
            left = connection.execute(table.select()).mappings().all()
            assert {found["tenant_id"] for found in left} == {"kept"}
        found = {row.id: row.pruned_at for row in connection.execute(tables.tenants.select())}
        scopes = set(connection.execute(tables.epochs.select()).scalars())
    assert found.keys() == {"gone", "gone-too", "kept"}
    assert [name for name, pruned_at in found.items() if pruned_at is None] == ["kept"]
    assert scopes == {"kept"}
    assert prune_all(store) == 0


def test_a_tenants_log_goes_last(store: Store, clock: Clock) -> None:
    with store.database.writing() as connection:
        gone = row(tables.tenants, id="gone", deleted_at=clock.now())
        add(connection, tables.tenants, gone)
        add(connection, tables.log_events, *rows("log_events", 2, tenant_id="gone"))
        add(connection, tables.users, *rows("users", 2, tenant_id="gone"))

    def step() -> tuple[int, list[int]]:
        pruned = writing(store, INSTALLATION, lambda db: installation.prune_deleted_tenant(db, 10))
        return pruned, number_of(store.database, "users", "log_events")

    assert [step() for _ in range(4)] == [(2, [0, 2]), (2, [0, 0]), (1, [0, 0]), (0, [0, 0])]


def test_a_deleted_application_goes_with_what_hangs_on_it(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "_BATCH_ROWS", 2)
    with store.database.writing() as connection:
        for tenant, client, deleted in (
            ("one", "gone", clock.now()),
            ("one", "kept", None),
            ("two", "gone", None),
        ):
            made = {"tenant_id": tenant, "client_id": client}
            app = row(tables.applications, id=client, deleted_at=deleted, **made)
            add(connection, tables.applications, app)
            for number in range(3):
                text = f"{client}{number}"
                grant = row(tables.client_grants, id=text, audience=text, **made)
                consent = row(tables.consents, id=text, user_id=text, **made)
                enabled = row(
                    tables.connection_applications,
                    tenant_id=tenant,
                    application_id=client,
                    connection_id=text,
                )
                key = row(
                    tables.credentials, id=text, tenant_id=tenant, application_id=client, kid=text
                )
                check = row(
                    tables.readiness_dismissals,
                    tenant_id=tenant,
                    application_id=client,
                    check_name=text,
                )
                add(connection, tables.readiness_dismissals, check)
                add(connection, tables.client_grants, grant)
                add(connection, tables.credentials, key)
                add(connection, tables.consents, consent)
                add(connection, tables.connection_applications, enabled)
    names = ["applications", "client_grants", "consents", "connection_applications", "credentials"]
    names.append("readiness_dismissals")
    assert number_of(store.database, *names) == [3, 9, 9, 9, 9, 9]
    prune_all(store)
    assert number_of(store.database, *names) == [2, 6, 6, 6, 6, 6]
    with store.database.reading() as connection:
        left = connection.execute(tables.applications.select()).all()
    assert {(found.tenant_id, found.client_id) for found in left} == {
        ("one", "kept"),
        ("two", "gone"),
    }


def test_a_session_that_is_used_while_it_is_pruned_stays(store: Store, clock: Clock) -> None:
    # Only PostgreSQL lets two write at once; on SQLite the second waits and sees the first.
    expired = clock.now() - timedelta(seconds=60)
    table = tables.sessions
    fill(store.database, table, *rows("sessions", 1, tenant_id="one", expires_at=expired))

    async def both() -> int:
        with store.database.writing() as connection:
            later = table.update().values(expires_at=clock.now() + timedelta(hours=1))
            connection.execute(later)
            pruned = asyncio.create_task(prune(store, "me", RETENTION))
            await asyncio.sleep(0.1)
            assert not pruned.done()
        return await pruned

    assert run_apart(both()) == 0
    assert number_of(store.database, "sessions") == [1]


def test_one_process_prunes(store: Store, clock: Clock) -> None:
    fill_expiring(store.database, "one", 3, clock.now() - timedelta(seconds=60))
    taken = writing(
        store, INSTALLATION, lambda db: installation.take_lease(db, "pruning", "other", 180)
    )
    assert taken
    assert prune_all(store, "me") == 0
    assert number_of(store.database, *EXPIRING) == [3] * KINDS
    clock.advance(200)
    assert prune_all(store, "me") == 3 * KINDS
    assert prune_all(store, "other") == 0


def test_writers_get_through(store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "_BATCH_ROWS", 5)
    monkeypatch.setattr(pruning, "_PAUSE", 0.01)
    fill_expiring(store.database, "one", 500, clock.now() - timedelta(seconds=60))

    def write(db: TenantSession) -> None:
        add(db.connection, tables.epochs, {"scope": "written", "value": 1})

    async def both() -> None:
        task = asyncio.create_task(prune(store, "me", RETENTION))
        for _ in range(1000):
            await asyncio.sleep(0.01)
            if await asyncio.to_thread(number_of, store.database, "sessions") < [500]:
                break
        await store.write("one", Caller(SYSTEM), write)
        assert not task.done()
        assert await asyncio.to_thread(number_of, store.database, "sessions") > [0]
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    run_apart(both())


def test_errors_are_logged_and_pruning_goes_on(
    store: Store,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fill_expiring(store.database, "one", 3, clock.now() - timedelta(seconds=60))
    monkeypatch.setattr(pruning, "_INTERVAL", 0.01)
    real = installation.take_lease
    failures = [ArithmeticError("no disk"), ArithmeticError("no disk")]

    def fail_twice(*args: Any) -> bool:
        if failures:
            raise failures.pop()
        return real(*args)

    monkeypatch.setattr(installation, "take_lease", fail_twice)

    async def run() -> float:
        task = asyncio.create_task(prune_forever(store, "me", RETENTION))
        for _ in range(500):
            await asyncio.sleep(0.01)
            if await asyncio.to_thread(number_of, store.database, *EXPIRING) == [0] * KINDS:
                break
        assert not task.done()
        began = time.monotonic()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return time.monotonic() - began

    with caplog.at_level(logging.ERROR):
        assert run_apart(run()) < 0.5
    assert number_of(store.database, *EXPIRING) == [0] * KINDS
    assert [record.name for record in caplog.records] == ["tenantry.jobs.pruning"] * 2


@contextmanager
def recorded(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are executed inside, with their parameters."""
    statements: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if re.match("SELECT|DELETE|UPDATE", statement):
            statements.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)


def test_every_statement_uses_an_index(store: Store, clock: Clock) -> None:
    database = store.database
    gone = clock.now() - timedelta(days=1)
    fill(database, tables.tenants, row(tables.tenants, id="gone", deleted_at=gone))
    app = row(tables.applications, tenant_id="one", id="app", client_id="app", deleted_at=gone)
    fill(database, tables.applications, app)
    with recorded(database) as statements:
        while writing(store, INSTALLATION, lambda db: prune_batch(db, "me", RETENTION)):
            pass
        store.read_now(INSTALLATION, Caller(SYSTEM), installation.find_root)
    assert len(statements) > 30
    with database.writing() as connection:
        explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for statement, parameters in statements:
            plan = str(connection.exec_driver_sql(f"{explain} {statement}", parameters).all())
            assert "Seq Scan" not in plan, (statement, plan)
            assert not re.search(r"SCAN (?!\w+ USING)\w+", plan), (statement, plan)
