"""All the objects of a noun, by as few statements as can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenantry.store.pages import Page, PageRequest
from tenantry.store.unit_of_work import TenantSession

T = TypeVar("T")
_AT_ONCE = 50_000


def everything(
    db: TenantSession, page: Callable[[TenantSession, PageRequest], Page[T]]
) -> tuple[T, ...]:
    items: tuple[T, ...] = ()
    position: tuple[str, str] | None = None
    while True:
        found = page(db, PageRequest(_AT_ONCE, after=position))
        items += found.items
        if not found.has_next:
            return items
        position = found.positions[-1]
