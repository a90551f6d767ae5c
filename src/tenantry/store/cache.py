"""Configuration that a process remembers: immutable facts, valid for one epoch of their tenant."""

from __future__ import annotations

import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from tenantry.core.context import Caller
from tenantry.store.epochs import EpochReader, value_of
from tenantry.store.unit_of_work import Store, TenantSession

K = TypeVar("K")
V = TypeVar("V")
_CAPACITY = 50_000
_MISS_CAPACITY = 2_000
_IDLE_SECONDS = 600.0
_ABSENT = object()
_MARK: Any = object()


class _Bounded(Generic[K, V]):
    """The most recently used entries, each with the epoch that it was read in."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[K, tuple[int, V]] = OrderedDict()

    def get(self, key: K, epoch: int) -> V | object:
        entry = self._entries.get(key)
        if entry is None or entry[0] != epoch:
            return _ABSENT
        try:
            self._entries.move_to_end(key)
        except KeyError:
            return _ABSENT
        return entry[1]

    def put(self, key: K, epoch: int, value: V) -> None:
        self._entries[key] = (epoch, value)
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def forget_idle(self) -> None:
        """Drops what was not used since the last call: all that stands before its mark."""
        if _MARK in self._entries:
            with contextlib.suppress(KeyError):  # Another thread may have had the mark dropped.
                while self._entries.popitem(last=False)[0] is not _MARK:
                    pass
        self._entries[_MARK] = (0, _MARK)

    def __len__(self) -> int:
        return len(self.remembered())

    def remembered(self) -> list[K]:
        return [key for key in list(self._entries) if key is not _MARK]


class Configuration:
    """Reads facts through the cache. What is not found is remembered too, in a smaller room.

    What nobody asked for in the last ten to twenty minutes is forgotten, so that the memory, and
    the epochs that are followed, are those of the tenants in use.
    """

    def __init__(self, store: Store, epochs: EpochReader) -> None:
        self._store = store
        self._epochs = epochs
        self._found: _Bounded[tuple[str, Any, Any], Any] = _Bounded(_CAPACITY)
        self._missing: _Bounded[tuple[str, Any, Any], None] = _Bounded(_MISS_CAPACITY)
        self._swept = time.monotonic()
        store.on_change = epochs.changed
        store.memory = self

    def refresh(self, *scopes: str) -> None:
        """Sees what other processes have changed until now; a request asks once."""
        if time.monotonic() - self._swept > _IDLE_SECONDS:
            self._forget_idle()
        self._epochs.refresh(*scopes)

    def _forget_idle(self) -> None:
        self._swept = time.monotonic()
        self._found.forget_idle()
        self._missing.forget_idle()
        self._epochs.keep_only(
            {key[0] for room in (self._found, self._missing) for key in room.remembered()}
        )

    async def get(
        self,
        tenant_id: str,
        loader: Callable[[TenantSession, K], V | None],
        key: K,
    ) -> V | None:
        """What `loader` says of `key`, from memory unless the tenant has changed."""
        epoch = self._epochs.current(tenant_id)
        entry = self._peek(tenant_id, loader, key, epoch)
        if entry is not _ABSENT:
            return cast("V | None", entry)
        value = await self._store.read(tenant_id, Caller(), loader, key)
        return self._keep(tenant_id, loader, key, epoch, value)

    def recall(self, db: TenantSession, loader: Callable[..., Any], key: Any) -> Any:
        """The same inside a unit of work, which asks by `recall` for what it does not change."""
        entry = self._peek(db.tenant_id, loader, key, self._epochs.current(db.tenant_id))
        if entry is not _ABSENT:
            return entry
        # Of this transaction: on SQLite it may see less than the epoch of this moment.
        epoch = value_of(db)
        return self._keep(db.tenant_id, loader, key, epoch, loader(db, key))

    def _peek(self, tenant_id: str, loader: Callable[..., Any], key: Any, epoch: int) -> Any:
        place = (tenant_id, loader, key)
        value = self._found.get(place, epoch)
        return value if value is not _ABSENT else self._missing.get(place, epoch)

    def _keep(
        self, tenant_id: str, loader: Callable[..., Any], key: Any, epoch: int, value: V | None
    ) -> V | None:
        # The epoch was read before the value: the value is that of the epoch or newer, and
        # a newer one is dropped by the next change of the epoch that this process sees.
        place = (tenant_id, loader, key)
        if value is None:
            self._missing.put(place, epoch, None)
        else:
            self._found.put(place, epoch, value)
        return value

    def close(self) -> None:
        self._epochs.close()
