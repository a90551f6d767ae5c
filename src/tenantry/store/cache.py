"""Configuration that a process remembers: immutable facts, valid for one epoch of their tenant."""

from __future__ import annotations

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
_ABSENT = object()


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

    def __len__(self) -> int:
        return len(self._entries)


class Configuration:
    """Reads facts through the cache. What is not found is remembered too, in a smaller room."""

    def __init__(self, store: Store, epochs: EpochReader) -> None:
        self._store = store
        self._epochs = epochs
        self._found: _Bounded[tuple[str, Any, Any], Any] = _Bounded(_CAPACITY)
        self._missing: _Bounded[tuple[str, Any, Any], None] = _Bounded(_MISS_CAPACITY)
        store.on_change = epochs.changed
        store.memory = self

    def refresh(self, *scopes: str) -> None:
        """Sees what other processes have changed until now; a request asks once."""
        self._epochs.refresh(*scopes)

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
