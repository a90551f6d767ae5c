"""Databases of the tests: each a copy of one migrated template, so that none meets another."""

from __future__ import annotations

import itertools
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

import psycopg
from sqlalchemy.engine import make_url

from tenantry.store import migrate
from tenantry.store.database import Database

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


def _as_admin(statement: str) -> None:
    url = make_url(POSTGRESQL_URL).set(drivername="postgresql")
    text = url.render_as_string(hide_password=False)
    with psycopg.connect(text, autocommit=True, connect_timeout=5) as connection:
        connection.execute(statement)


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

    @contextmanager
    def url(self, kind: Kind, *, empty: bool = False) -> Iterator[str]:
        """The address of a new database, migrated unless `empty`."""
        if kind == "sqlite":
            path = self._folder / f"{next(self._numbers)}.db"
            if not empty:
                shutil.copyfile(self._sqlite_template(), path)
            yield f"sqlite:///{path}"
            return
        name = self._create("template0" if empty else self._postgresql_template())
        try:
            yield self._address(name)
        finally:
            _drop(name)

    @contextmanager
    def database(self, kind: Kind, *, empty: bool = False) -> Iterator[Database]:
        with self.url(kind, empty=empty) as url:
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
        if self._template_name:
            _drop(self._template_name)


def _migrate(url: str) -> None:
    database = Database(url)
    migrate.upgrade(database)
    database.close()
