"""Databases of the tests: migrated and without a row, so that none meets another."""

from __future__ import annotations

import itertools
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

import psycopg
from sqlalchemy.engine import make_url

from tenantry.store import migrate
from tenantry.store.database import Database
from tenantry.store.tables import metadata

Kind = Literal["sqlite", "postgresql"]
_DROP_ATTEMPTS, _DROP_PAUSE = 20, 0.25
POSTGRESQL_URL = os.environ.get(
    "TENANTRY_TEST_POSTGRESQL_URL",
    "postgresql+psycopg://tenantry:tenantry@127.0.0.1:5432/tenantry_test",
)


@cache
def postgresql_problem() -> str:
    """Why no PostgreSQL can be used, or nothing."""
    try:
        _as_admin("SELECT 1")
    except psycopg.Error as error:
        return f"no PostgreSQL at TENANTRY_TEST_POSTGRESQL_URL: {type(error).__name__}"
    return ""


def _as_admin(statement: str, values: Sequence[str] = (), *, database: str | None = None) -> None:
    url = make_url(POSTGRESQL_URL).set(drivername="postgresql")
    url = url.set(database=database or url.database)
    text = url.render_as_string(hide_password=False)
    with psycopg.connect(text, autocommit=True, connect_timeout=5) as connection:
        connection.execute(statement, values or None)


def _end_sessions(name: str) -> None:
    _as_admin(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = %s AND usename = current_user",
        [name],
    )


def _empty(name: str) -> None:
    """Takes all rows out, which is a hundred times faster than another copy."""
    deletes = [str(table.delete()) for table in reversed(metadata.sorted_tables)]
    _as_admin("; ".join(deletes), database=name)


def _drop(name: str) -> None:
    # The server's own vacuum may be in the database for a moment, and may not be ended by us.
    for _ in range(_DROP_ATTEMPTS):
        try:
            _as_admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        except psycopg.errors.InsufficientPrivilege:
            time.sleep(_DROP_PAUSE)
        else:
            return
    _as_admin(f'DROP DATABASE IF EXISTS "{name}"')


class Databases:
    """Makes databases; what PostgreSQL has of them is dropped at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._prefix = f"{make_url(POSTGRESQL_URL).database}_{os.getpid()}"
        self._numbers = itertools.count()
        self._template_file: Path | None = None
        self._template_name = ""
        self._unused: list[str] = []

    @contextmanager
    def url(self, kind: Kind, *, empty: bool = False, migrates: bool = False) -> Iterator[str]:
        """The address of a database without rows, migrated unless `empty`. A test that changes
        its tables `migrates`: nobody gets it afterwards."""
        if kind == "sqlite":
            path = self._folder / f"{next(self._numbers)}.db"
            if not empty:
                shutil.copyfile(self._sqlite_template(), path)
            yield f"sqlite:///{path}"
            return
        if empty or migrates:
            name = self._create("template0" if empty else self._postgresql_template())
            try:
                yield self._address(name)
            finally:
                _drop(name)
            return
        name = self._unused.pop() if self._unused else self._create(self._postgresql_template())
        try:
            yield self._address(name)
        finally:
            _end_sessions(name)
            _empty(name)
            self._unused.append(name)

    @contextmanager
    def database(
        self, kind: Kind, *, empty: bool = False, migrates: bool = False
    ) -> Iterator[Database]:
        with self.url(kind, empty=empty, migrates=migrates) as url:
            database = Database(url)
            try:
                yield database
            finally:
                database.close()

    def _create(self, template: str) -> str:
        name = f"{self._prefix}_{next(self._numbers)}"
        _as_admin(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    @staticmethod
    def _address(name: str) -> str:
        return make_url(POSTGRESQL_URL).set(database=name).render_as_string(hide_password=False)

    def _sqlite_template(self) -> Path:
        if self._template_file is None:
            path = self._folder / "template.db"
            _migrate(f"sqlite:///{path}")
            self._template_file = path
        return self._template_file

    def _postgresql_template(self) -> str:
        if not self._template_name:
            self._template_name = self._create("template0")
            _migrate(self._address(self._template_name))
        return self._template_name

    def close(self) -> None:
        for name in filter(None, (*self._unused, self._template_name)):
            _drop(name)


def _migrate(url: str) -> None:
    database = Database(url)
    migrate.upgrade(database)
    database.close()
