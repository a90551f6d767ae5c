"""Lists as Relay connections, paged by key: places stay right while rows come and go."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from tenantry.management.errors import request_error
from tenantry.management.fields import field
from tenantry.rules.fields import encodable
from tenantry.store.pages import Page, PageRequest

F = TypeVar("F")
T = TypeVar("T")
MAX_PAGE = 100
_MAX_CURSOR = 2_048

First = Annotated[
    int | None,
    strawberry.argument(
        description="How many objects from the beginning: 1 to 100. Give this or `last`."
    ),
]
Last = Annotated[
    int | None,
    strawberry.argument(
        description="How many objects from the end: 1 to 100. Give this or `first`."
    ),
]
After = Annotated[
    str | None,
    strawberry.argument(description="A cursor of the same list; only what follows it is given."),
]
Before = Annotated[
    str | None,
    strawberry.argument(description="A cursor of the same list; only what precedes it is given."),
]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether objects follow the last one here.")
    has_previous_page: bool = strawberry.field(
        description="Whether objects precede the first one here."
    )
    start_cursor: str | None = strawberry.field(
        description="The cursor of the first object here; null if the page is empty."
    )
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last object here; null if the page is empty."
    )


@strawberry.type(name="Edge", description="An object and its place in the list.")
class Edge(Generic[T]):
    node: T = strawberry.field(description="The object.")
    cursor: str = strawberry.field(
        description="Its place, for `after` and `before`, opaque; good for this order alone."
    )


@strawberry.type(name="Connection", description="One page of a list.")
class ListOf(Generic[T]):
    nodes: list[T] = strawberry.field(description="The objects of the page.")
    asked: strawberry.Private[PageArguments]
    source: strawberry.Private[Page[Any]]
    counter: strawberry.Private[Callable[[], Awaitable[int]]]

    @field("The same objects, each with its place in the list.")
    def edges(self) -> list[Edge[T]]:
        positions = self.source.positions
        return [
            Edge(node=node, cursor=self.asked.cursor(position))
            for node, position in zip(self.nodes, positions, strict=True)
        ]

    @field("Where the page lies in the list.")
    def page_info(self) -> PageInfo:
        page, positions = self.source, self.source.positions
        return PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=self.asked.cursor(positions[0]) if positions else None,
            end_cursor=self.asked.cursor(positions[-1]) if positions else None,
        )

    @field("How many objects the whole list has under its filter; counted when asked for.")
    async def total_count(self) -> int:
        return await self.counter()


@dataclass(frozen=True, slots=True)
class PageArguments:
    """What a list field was asked for, under one order."""

    order: Enum
    first: int | None = None
    last: int | None = None
    after: str | None = None
    before: str | None = None

    def request(self) -> PageRequest:
        """Raises a request error unless the arguments name one page."""
        size = self._size()
        sort, _, direction = self.order.name.rpartition("_")
        return PageRequest(
            size=size,
            sort="id" if sort == "CREATED_AT" else sort.lower(),
            descending=direction == "DESC",
            after=self._position("after", self.after),
            before=self._position("before", self.before),
            backwards=self.first is None,
        )

    def _size(self) -> int:
        if (self.first is None) == (self.last is None):
            raise request_error("BAD_REQUEST", "Give either `first` or `last`, from 1 to 100.")
        name, size = ("first", self.first) if self.last is None else ("last", self.last)
        if size is None or not 1 <= size <= MAX_PAGE:
            raise request_error("BAD_REQUEST", f"`{name}` must be from 1 to {MAX_PAGE}.")
        return size

    @property
    def _list(self) -> str:
        return f"{type(self.order).__name__}.{self.order.name}"

    def cursor(self, position: tuple[str, str]) -> str:
        text = json.dumps([self._list, *position], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def _position(self, name: str, cursor: str | None) -> tuple[str, str] | None:
        if cursor is None:
            return None
        match _decoded(cursor):
            case [self._list, str(value), str(id_)]:
                return value, id_
        raise request_error("BAD_CURSOR", f"`{name}` is not a cursor of this list in this order.")

    def page(
        self,
        page: Page[F],
        node: Callable[[F], T],
        counter: Callable[[], Awaitable[int]],
    ) -> ListOf[T]:
        """Cursors are made when they are asked for: in most lists of lists they are not."""
        nodes = [node(facts) for facts in page.items]
        return ListOf(nodes=nodes, asked=self, source=page, counter=counter)


def _decoded(cursor: str) -> object:
    if len(cursor) > _MAX_CURSOR or not cursor.isascii():
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        value = json.loads(text)
    except (binascii.Error, ValueError, RecursionError):
        return None
    clean = isinstance(value, list) and all(
        isinstance(item, str) and encodable(item) for item in value
    )
    return value if clean else None
