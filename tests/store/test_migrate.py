"""The schema moves forward only, in one transaction, by one process."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, inspect, select
from sqlalchemy.exc import StatementError

from tenantry.store import migrate, tables
from tenantry.store.database import Database
from tests.support.databases import Databases, Kind

NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "next", "HEAD", None, None
def upgrade() -> None:
    op.create_table("later", sa.Column("id", sa.Integer(), primary_key=True))
    {then}
""".replace("HEAD", migrate.head_revision())


@pytest.fixture
def database(kind: Kind, databases: Databases) -> Iterator[Database]:
    """A migrated database that nobody has afterwards."""
    with databases.database(kind, migrates=True) as made:
        yield made


def test_the_models_are_what_the_migrations_make(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
        found = inspect(connection)
        for table in tables.metadata.sorted_tables:
            assert {index["name"] for index in found.get_indexes(table.name)} >= {
                index.name for index in table.indexes
            }
            key = found.get_pk_constraint(table.name)["constrained_columns"]
            assert key == [column.name for column in table.primary_key]


def test_a_tenants_rows_are_found_by_the_tenant_first() -> None:
    bound = [table for table in tables.metadata.sorted_tables if "tenant_id" in table.columns]
    assert len(bound) > 10
    for table in bound:
        assert next(iter(table.primary_key.columns)).name == "tenant_id", table.name


def test_an_empty_database_becomes_current(databases: Databases, kind: Kind) -> None:
    with databases.database(kind, empty=True) as database:
        assert migrate.state(database) == "empty"
        migrate.upgrade(database)
        assert migrate.state(database) == "current"
        migrate.upgrade(database)
        assert migrate.state(database) == "current"


def test_processes_that_start_at_once_migrate_once(databases: Databases, kind: Kind) -> None:
    program = (
        "import sys; from tenantry.store import database, migrate\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "one = database.Database(sys.argv[1]); migrate.upgrade(one); print(migrate.state(one))"
    )
    with databases.url(kind, empty=True) as url:
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", program, url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=30) for process in processes]
    assert answers == [("current\n", "")] * len(processes)


def test_a_database_of_a_later_release_is_refused(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert migrate.state(database) == "ahead"
    with pytest.raises(migrate.UnusableDatabaseError, match="later release"):
        migrate.upgrade(database)
    assert migrate.state(database) == "ahead"


@pytest.mark.parametrize("table", ["somebody", "alembic_version"])
def test_the_database_of_another_program_is_refused(
    databases: Databases, kind: Kind, table: str
) -> None:
    with databases.database(kind, empty=True) as database:
        with database.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE elses (id INTEGER)")
            connection.exec_driver_sql(f"CREATE TABLE {table} (version_num VARCHAR(32))")
            connection.exec_driver_sql(f"INSERT INTO {table} VALUES ('0001')")  # noqa: S608
        assert migrate.state(database) == "foreign"
        with pytest.raises(migrate.UnusableDatabaseError, match="not Tenantry's"):
            migrate.upgrade(database)
        with database.reading() as connection:
            assert set(inspect(connection).get_table_names()) == {"elses", table}


def _next_release(monkeypatch: pytest.MonkeyPatch, folder: Path, then: str) -> None:
    shutil.copytree(migrate._SCRIPTS, folder)
    (folder / "versions" / "0002_later.py").write_text(NEXT.format(then=then))
    monkeypatch.setattr(migrate, "_SCRIPTS", folder)


def test_a_new_release_brings_an_old_database_forward(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patched:
        _next_release(patched, tmp_path / "with 100% more", "pass")
        assert migrate.state(database) == "behind"
        migrate.upgrade(database)
        assert migrate.state(database) == "current"
    assert migrate.state(database) == "ahead"


def test_a_migration_that_fails_leaves_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _next_release(monkeypatch, tmp_path / "scripts", "raise ArithmeticError")
    with pytest.raises(ArithmeticError):
        migrate.upgrade(database)
    assert migrate.state(database) == "behind"
    with database.reading() as connection:
        assert "later" not in inspect(connection).get_table_names()


def test_a_revision_is_written_from_the_models(
    databases: Databases, kind: Kind, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "scripts"
    shutil.copytree(migrate._SCRIPTS, folder)
    monkeypatch.setattr(migrate, "_SCRIPTS", folder)
    with databases.database(kind, migrates=True) as database:
        with database.writing() as connection:
            connection.exec_driver_sql("DROP TABLE log_events")
        migrate.revise(database, "log events again")
        assert migrate.state(database) == "behind"
        migrate.upgrade(database)
        assert migrate.state(database) == "current"
        with database.reading() as connection:
            context = MigrationContext.configure(connection)
            assert compare_metadata(context, tables.metadata) == []


def test_times_come_back_in_utc(database: Database) -> None:
    elsewhere = timezone(timedelta(hours=5, minutes=30))
    moment = datetime(2031, 2, 3, 4, 5, 6, 789012, tzinfo=elsewhere)
    row = {"name": "a", "holder": "b", "expires_at": moment}
    with database.writing() as connection:
        connection.execute(insert(tables.leases), [row])
    with database.reading() as connection:
        found = connection.execute(select(tables.leases.c.expires_at)).scalar_one()
        earlier = select(tables.leases.c.name).where(tables.leases.c.expires_at < moment)
        same = select(tables.leases.c.name).where(tables.leases.c.expires_at == moment)
        assert connection.execute(earlier).all() == []
        assert len(connection.execute(same).all()) == 1
    assert found == moment
    assert found.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    row = {"name": "a", "holder": "b", "expires_at": datetime(2031, 2, 3)}  # noqa: DTZ001
    with pytest.raises(StatementError, match="timezone"), database.writing() as connection:
        connection.execute(insert(tables.leases), [row])
