"""Connections to SQLite and PostgreSQL, and the rules for writing on each."""

from __future__ import annotations

import fcntl
import json
import os
import select
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

POOL_THREADS = 4
_BUSY_TIMEOUT_MS = 5000
_IDLE_SECONDS = 1.0
_OPTIONS = {"preserve_rowcount": True}
"""Else the row count of an INSERT is lost on PostgreSQL, and every contender believes it won."""
_EMPTY: Mapping[str | bytes, Callable[[], Any]] = {"[]": list, "{}": dict, b"[]": list, b"{}": dict}
_DECODER = json.JSONDecoder()
_TAKEN_BACK = frozenset({"40001", "40P01"})
"""What PostgreSQL says to one of two transactions that cannot both go on: a serialization failure
and a deadlock (PostgreSQL, appendix A, class 40)."""


def _read_json(text: str | bytes) -> Any:
    """Most lists and objects of a row are empty. psycopg gives them in UTF-8."""
    empty = _EMPTY.get(text)
    if empty is not None:
        return empty()
    return _DECODER.decode(text if isinstance(text, str) else text.decode())


class Database:
    """One engine. `reading` and `writing` give a connection for one unit of work."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.path = Path(self.url.database or "") if self.is_sqlite else None
        self._lock = threading.Lock()
        self._lock_file: int | None = None
        self.engine = self._create_engine()
        self._reader = self.engine if self.is_sqlite else self._create_reader()

    def _create_reader(self) -> Engine:
        """Each statement is a transaction of its own, which saves it two journeys."""
        reader = self._create_postgresql_engine(isolation_level="AUTOCOMMIT")
        event.listen(reader, "connect", _read_only)
        return reader

    def _create_postgresql_engine(self, **options: Any) -> Engine:
        from tenantry.store.postgresql import PlainCursor

        engine = create_engine(
            self.url,
            pool_size=POOL_THREADS + 2,
            max_overflow=4,
            execution_options=_OPTIONS,
            json_deserializer=_read_json,
            connect_args={"prepare_threshold": 2, "cursor_factory": PlainCursor},
            **options,
        )
        event.listen(engine, "checkout", _ping_doubtful)
        event.listen(engine, "checkin", _note_use)
        return engine

    def _create_engine(self) -> Engine:
        if not self.is_sqlite:
            return self._create_postgresql_engine()
        if self.path is None:
            raise ValueError("an embedded database needs a path")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self.path.exists():
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        engine = create_engine(
            self.url,
            pool_size=POOL_THREADS + 2,
            max_overflow=4,
            execution_options=_OPTIONS,
            json_deserializer=_read_json,
            connect_args={"check_same_thread": False, "isolation_level": None},
        )
        event.listen(engine, "connect", _configure_sqlite)
        return engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """What is committed; on SQLite one snapshot of it.

        What is written is lost on SQLite and refused by PostgreSQL.
        """
        with self._reader.connect() as connection:
            if not self.is_sqlite:
                yield connection
                return
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")
                connection.rollback()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Commits when the block returns and rolls back on every exception."""
        if not self.is_sqlite:
            with self.engine.begin() as connection:
                yield connection
            return
        with self._lock, self._between_processes(), self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")

    @contextmanager
    def _between_processes(self) -> Iterator[None]:
        # A queue of waiting writers in the kernel: SQLite's own busy handler sleeps and starves.
        if self._lock_file is None:
            self._lock_file = os.open(f"{self.path}-writer", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock_file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    def answers(self) -> bool:
        try:
            with self.reading() as connection:
                connection.exec_driver_sql("SELECT 1")
        except SQLAlchemyError:
            return False
        return True

    def close(self) -> None:
        self.engine.dispose()
        self._reader.dispose()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None


def was_taken_back(error: BaseException) -> bool:
    """Whether the database ended a transaction in favour of another: it may be tried again."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _TAKEN_BACK


def _read_only(connection: Any, _: ConnectionPoolEntry) -> None:
    connection.execute("SET default_transaction_read_only = on")
    connection.commit()


def _note_use(_: Any, entry: ConnectionPoolEntry) -> None:
    entry.info["used"] = time.monotonic()


def _ping_doubtful(connection: Any, entry: ConnectionPoolEntry, _: Any) -> None:
    """Finds out whether a connection still works, unless it did a moment ago and is silent."""
    idle = time.monotonic() - entry.info.get("used", time.monotonic())
    if idle < _IDLE_SECONDS and not _speaks(connection.fileno()):
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except Exception as error:  # The pool makes another one.
        raise DisconnectionError from error


def _speaks(fd: int) -> bool:
    # Nothing was asked: what the server says now is that it closes the connection.
    waiting = select.poll()
    waiting.register(fd, select.POLLIN)
    return bool(waiting.poll(0))


def _configure_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={_BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")
