"""The schema's revisions (Alembic): where a database stands, and the way forward.

A database only ever moves forward. One that a later release wrote is refused.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from tenantry.store.database import Database

logging.getLogger("alembic").setLevel(logging.WARNING)

State = Literal["empty", "current", "behind", "ahead", "foreign"]

_SCRIPTS = Path(__file__).with_name("migrations")
_LOCK = 0x74656E616E747279
"""The advisory lock of whoever migrates: "tenantry" as a number."""


class UnusableDatabaseError(Exception):
    """The database is a later release's or another program's."""


_REFUSALS: dict[State, str] = {
    "ahead": "The database was written by a later release of Tenantry. Install that release.",
    "foreign": "The database holds tables that are not Tenantry's. Name an empty database.",
}


def head_revision() -> str:
    """The revision that this release needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise LookupError("this installation of Tenantry lacks its migrations")
    return head


def state(database: Database) -> State:
    """`ahead` is a revision that this release does not know; `foreign` is no schema of ours."""
    with database.reading() as connection:
        tables = set(inspect(connection).get_table_names())
        revision = MigrationContext.configure(connection).get_current_revision()
    return _judge(tables, revision)


def upgrade(database: Database) -> None:
    """Brings the schema to the head in one transaction; of several processes one does it.

    Raises `UnusableDatabaseError` where the database is ahead or foreign.
    """
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        tables = set(inspect(connection).get_table_names())
        found = _judge(tables, MigrationContext.configure(connection).get_current_revision())
        if found in _REFUSALS:
            raise UnusableDatabaseError(_REFUSALS[found])
        if found != "current":
            command.upgrade(_config(connection), "head")


def revise(database: Database, message: str) -> None:
    """Writes the next revision from what the models have and `database` lacks (PostgreSQL)."""
    revision = f"{int(head_revision()) + 1:04}"
    with database.writing() as connection:
        command.revision(_config(connection), message, autogenerate=True, rev_id=revision)


def _judge(tables: set[str], revision: str | None) -> State:
    if not tables - {"alembic_version"}:
        return "empty"
    if revision is None or "installation" not in tables:
        return "foreign"
    if revision == head_revision():
        return "current"
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return "behind" if revision in known else "ahead"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config
