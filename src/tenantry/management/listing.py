"""What list fields share: their arguments, and how a page is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import strawberry

from tenantry.management.connections import ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.store.pages import Page

F = TypeVar("F")
T = TypeVar("T")

Id = Annotated[strawberry.ID, strawberry.argument(description="The id of the object.")]


def filter_argument(noun: str) -> object:
    return strawberry.argument(name="filter", description=f"Which {noun}. By default all.")


ORDER = strawberry.argument(description="The order of the list. By default the oldest first.")


async def listed(
    info: Info,
    asked: PageArguments,
    find: Callable[..., Page[F]],
    count: Callable[..., int],
    node: Callable[[F], T],
    **criteria: Any,
) -> ListOf[T]:
    context = info.context
    page = await context.read(find, request=asked.request(), **criteria)
    return asked.page(page, node, lambda: context.read(count, **criteria))
