"""Epochs: a count per tenant that every change of its configuration raises."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable
from typing import Protocol

import sqlalchemy
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.store.database import Database
from tenantry.store.tables import epochs
from tenantry.store.unit_of_work import TenantSession

CHANNEL = "tenantry_epochs"
_POLL_SECONDS = 0.5
_POLL_BATCH = 1000
_log = logging.getLogger(__name__)


def bump(db: TenantSession, scope: str | None = None) -> None:
    """Raises the epoch in this transaction; other processes follow within a second."""
    name = scope or db.tenant_id
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    db.connection.execute(
        insert(epochs)
        .values(scope=name, value=1)
        .on_conflict_do_update(index_elements=[epochs.c.scope], set_={"value": epochs.c.value + 1})
    )
    if not db.is_sqlite:
        db.connection.execute(select(func.pg_notify(CHANNEL, name)))
    db.changed_scopes.add(name)


def value_of(db: TenantSession) -> int:
    """The epoch of the tenant as this transaction sees it."""
    found = db.connection.execute(select(epochs.c.value).where(epochs.c.scope == db.tenant_id))
    return found.scalar_one_or_none() or 0


class EpochReader(Protocol):
    """Answers which epoch a scope has now, quickly enough for every request."""

    def refresh(self, *scopes: str) -> None:
        """Looks again; a request does it once, for all that it reads."""
        ...

    def current(self, scope: str) -> int:
        """The epoch as it was at the last look."""
        ...

    def changed(self, scopes: set[str]) -> None: ...

    def keep_only(self, scopes: set[str]) -> None:
        """Stops following the others: their epochs are read again when somebody asks."""
        ...

    def close(self) -> None: ...


class SqliteEpochs:
    """Each request reads the rows: some microseconds, so every process sees a change at once."""

    def __init__(self, database: Database) -> None:
        self._path = str(database.path)
        self._local = threading.local()
        self._known: dict[str, int] = {}

    def refresh(self, *scopes: str) -> None:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, isolation_level=None)
            self._local.connection = connection
        # Nothing but question marks goes into the text.
        marks = ",".join("?" * len(scopes))
        rows = connection.execute(
            f"SELECT scope, value FROM epochs WHERE scope IN ({marks})",  # noqa: S608
            scopes,
        )
        for scope, value in (dict.fromkeys(scopes, 0) | dict(rows.fetchall())).items():
            # Another thread may have looked later and written sooner: never backwards.
            self._known[scope] = max(value, self._known.get(scope, 0))

    def current(self, scope: str) -> int:
        value = self._known.get(scope)
        if value is None:
            self.refresh(scope)
            value = self._known.get(scope, 0)
        return value

    def changed(self, scopes: set[str]) -> None:
        self.refresh(*scopes)

    def keep_only(self, scopes: set[str]) -> None:
        for scope in self._known.keys() - scopes:
            self._known.pop(scope, None)

    def close(self) -> None:
        self._local = threading.local()


class PostgresqlEpochs:
    """Remembers epochs; `LISTEN` drops what changed, and a poll twice a second stands behind it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, int] = {}
        self._drops = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._listen, name="epoch-listener", daemon=True),
            threading.Thread(target=self._poll, name="epoch-poll", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def refresh(self, *scopes: str) -> None:
        """Nothing to do: the threads see to it."""

    def current(self, scope: str) -> int:
        value = self._known.get(scope)
        return self._read(scope) if value is None else value

    def _read(self, scope: str) -> int:
        drops = self._drops
        with self._database.engine.connect() as connection:
            value = connection.execute(
                select(epochs.c.value).where(epochs.c.scope == scope)
            ).scalar_one_or_none()
        with self._lock:
            if drops == self._drops:  # Else what was read may be what was dropped.
                self._known[scope] = value or 0
        return value or 0

    def changed(self, scopes: set[str]) -> None:
        with self._lock:
            self._drops += 1
            for scope in scopes:
                self._known.pop(scope, None)

    def keep_only(self, scopes: set[str]) -> None:
        with self._lock:
            for scope in self._known.keys() - scopes:
                del self._known[scope]

    def _drop_all(self) -> None:
        with self._lock:
            self._drops += 1
            self._known.clear()

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def _listen(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(Exception):
                self._listen_once()
            self._drop_all()
            self._stop.wait(1)

    def _listen_once(self) -> None:
        import psycopg

        url = self._database.url.set(drivername="postgresql")
        with psycopg.connect(
            url.render_as_string(hide_password=False), autocommit=True
        ) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._drop_all()
            while not self._stop.is_set():
                for notification in connection.notifies(timeout=0.2):
                    self.changed({notification.payload})

    def _poll(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            try:
                self._compare()
            except sqlalchemy.exc.SQLAlchemyError as error:
                _log.warning("epochs cannot be read: %s", type(error).__name__)
                self._drop_all()

    def _compare(self) -> None:
        known = list(self._known)
        for start in range(0, len(known), _POLL_BATCH):
            with self._database.engine.connect() as connection:
                rows = connection.execute(
                    select(epochs.c.scope, epochs.c.value).where(
                        epochs.c.scope.in_(known[start : start + _POLL_BATCH])
                    )
                ).all()
            self.changed({scope for scope, value in rows if self._known.get(scope, value) < value})


def epoch_reader(database: Database) -> EpochReader:
    factory: Callable[[Database], EpochReader] = (
        SqliteEpochs if database.is_sqlite else PostgresqlEpochs
    )
    return factory(database)
