"""Units of work: one function, one tenant, one transaction, in a small pool of threads."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from tenantry.core.clock import Clock
from tenantry.core.context import Caller
from tenantry.core.errors import Contended
from tenantry.core.limits import Limits
from tenantry.keys.vault import Vault
from tenantry.store.database import POOL_THREADS, Database, was_taken_back

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

INSTALLATION = "installation"
"""The scope of what belongs to no tenant: names, hosts, tenants themselves."""

ATTEMPTS = 4
"""How often a unit of work is begun that the database takes back in favour of another."""
_PAUSE_MS = 20


class Memory(Protocol):
    """The configuration that a process remembers, as a unit of work asks for it."""

    def recall(self, db: TenantSession, loader: Callable[..., Any], key: Any) -> Any: ...


@dataclass(slots=True)
class TenantSession:
    """A connection that is bound to one tenant for one unit of work."""

    connection: Connection
    tenant_id: str
    caller: Caller
    now: datetime
    vault: Vault
    is_sqlite: bool
    changed_scopes: set[str] = field(default_factory=set)
    limits: Limits = field(default_factory=Limits)
    memory: Memory | None = None

    def for_tenant(self, tenant_id: str) -> TenantSession:
        """The same transaction, seen by another tenant: only the installation's code asks."""
        return TenantSession(
            self.connection,
            tenant_id,
            self.caller,
            self.now,
            self.vault,
            self.is_sqlite,
            self.changed_scopes,
            self.limits,
            self.memory,
        )


def recall(db: TenantSession, loader: Callable[[TenantSession, K], V | None], key: K) -> V | None:
    """What `loader` says of `key`: from the process's memory, unless this unit changes it."""
    if db.memory is None or db.changed_scopes:
        return loader(db, key)
    found: V | None = db.memory.recall(db, loader, key)
    return found


@contextmanager
def savepoint(db: TenantSession) -> Iterator[None]:
    """A part of a unit of work that is taken back whole if the block raises."""
    with db.connection.begin_nested():
        yield


class Store:
    """Runs functions as units of work. What they return is committed; what they raise is not."""

    def __init__(
        self, database: Database, clock: Clock, vault: Vault, limits: Limits | None = None
    ) -> None:
        self.database = database
        self.clock = clock
        self.vault = vault
        self.limits = limits or Limits()
        self._pool = ThreadPoolExecutor(POOL_THREADS, "store")
        self.memory: Memory | None = None
        self.on_change: Callable[[set[str]], None] = lambda scopes: None

    def read_now(
        self,
        tenant_id: str,
        caller: Caller,
        function: Callable[Concatenate[TenantSession, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Runs here and now, on this thread."""
        with self.database.reading() as connection:
            return function(self._session(connection, tenant_id, caller), *args, **kwargs)

    def write_now(
        self,
        tenant_id: str,
        caller: Caller,
        function: Callable[Concatenate[TenantSession, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Runs here and now, on this thread, and commits what returns.

        Two units that lock the same rows in another order cannot both go on: PostgreSQL takes one
        of them back whole, and it runs again. Contended where that never ends.
        """
        begun = 0
        while True:
            try:
                return self._write_once(tenant_id, caller, function, *args, **kwargs)
            except DBAPIError as error:
                begun += 1
                if not was_taken_back(error):
                    raise
                if begun == ATTEMPTS:
                    raise Contended from error
            time.sleep(secrets.randbelow(_PAUSE_MS * begun) / 1000)

    def _write_once(
        self,
        tenant_id: str,
        caller: Caller,
        function: Callable[Concatenate[TenantSession, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        with self.database.writing() as connection:
            session = self._session(connection, tenant_id, caller)
            result = function(session, *args, **kwargs)
        if session.changed_scopes:
            self.on_change(session.changed_scopes)
        return result

    async def read(
        self,
        tenant_id: str,
        caller: Caller,
        function: Callable[Concatenate[TenantSession, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        return await self.in_thread(
            lambda: self.read_now(tenant_id, caller, function, *args, **kwargs)
        )

    async def write(
        self,
        tenant_id: str,
        caller: Caller,
        function: Callable[Concatenate[TenantSession, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        return await self.in_thread(
            lambda: self.write_now(tenant_id, caller, function, *args, **kwargs)
        )

    async def in_thread(self, function: Callable[[], T]) -> T:
        """Runs what takes milliseconds, such as making a key, off the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    async def is_available(self) -> bool:
        """Whether the database answers."""
        return await self.in_thread(self.database.answers)

    def _session(self, connection: Connection, tenant_id: str, caller: Caller) -> TenantSession:
        return TenantSession(
            connection,
            tenant_id,
            caller,
            self.clock.now(),
            self.vault,
            self.database.is_sqlite,
            limits=self.limits,
            memory=self.memory,
        )

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.database.close()
