"""Keyset pages: positions by sort key and id, right while rows come and go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, FromClause, Select, Table, and_, func, or_, select

from tenantry.store.rows import to_facts
from tenantry.store.unit_of_work import TenantSession

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """`size` rows after (or, `backwards`, before) a position, ordered by `sort` and then id.

    `sort` is a column name, or "id" for the order of creation; a position is (sort value, id).
    """

    size: int
    sort: str = "id"
    descending: bool = False
    after: tuple[str, str] | None = None
    before: tuple[str, str] | None = None
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows in the asked order, with the position of each."""

    items: tuple[T, ...]
    positions: tuple[tuple[str, str], ...]
    has_next: bool
    has_previous: bool


EMPTY_PAGE: Page[Any] = Page((), (), has_next=False, has_previous=False)


def fetch_page(
    db: TenantSession,
    table: Table,
    conditions: Sequence[Any],
    request: PageRequest,
    cls: type[T],
    build: Callable[[type[T], Mapping[Any, Any]], T] = to_facts,
) -> Page[T]:
    """One page of `table`; `conditions` bind the tenant."""
    sort, key = table.c[request.sort], table.c.id
    where = list(conditions)
    if request.after:
        where.append(_beyond(sort, key, request.after, descending=request.descending))
    if request.before:
        where.append(_beyond(sort, key, request.before, descending=not request.descending))
    reverse = request.descending != request.backwards
    # The same column twice would keep SQLite from an index that is in this order.
    by = [key] if sort is key else [sort, key]
    order = [column.desc() for column in by] if reverse else by
    rows: list[Mapping[Any, Any]] = list(
        db.connection.execute(
            select(table).where(*where).order_by(*order).limit(request.size + 1)
        ).mappings()
    )
    return _page(rows, request.sort, request, cls, build)


def only_page(statement: Select[Any], key: ColumnElement[Any], request: PageRequest) -> Select[Any]:
    """Of ids in the order of creation, those that `fetch_page` will look at."""
    if request.after:
        statement = statement.where(_beyond(key, key, request.after, descending=request.descending))
    if request.before:
        statement = statement.where(
            _beyond(key, key, request.before, descending=not request.descending)
        )
    reverse = request.descending != request.backwards
    return statement.order_by(key.desc() if reverse else key).limit(request.size + 1)


def _page(
    rows: list[Mapping[Any, Any]],
    sort: str,
    request: PageRequest,
    cls: type[T],
    build: Callable[[type[T], Mapping[Any, Any]], T],
) -> Page[T]:
    """`rows` are one more than were asked for, if there are more."""
    more = len(rows) > request.size
    rows = rows[: request.size]
    if request.backwards:
        rows.reverse()
    return Page(
        items=tuple(build(cls, row) for row in rows),
        positions=tuple((str(row[sort]), row["id"]) for row in rows),
        has_next=request.before is not None if request.backwards else more,
        has_previous=more if request.backwards else request.after is not None,
    )


def _beyond(sort: Any, key: Any, position: tuple[str, str], *, descending: bool) -> Any:
    value, id_ = position
    if sort is key:
        return key < id_ if descending else key > id_
    if descending:
        return or_(sort < value, and_(sort == value, key < id_))
    return or_(sort > value, and_(sort == value, key > id_))


def narrowed(db: TenantSession, column: ColumnElement[str], text: str | None) -> list[Any]:
    """The rows of a tenant whose `column` contains a text; case is ignored."""
    conditions: list[Any] = [column.table.c.tenant_id == db.tenant_id]
    if text:
        conditions.append(column.icontains(text, autoescape=True))
    return conditions


def count(db: TenantSession, table: Table, conditions: Sequence[Any]) -> int:
    return db.connection.execute(
        select(func.count()).select_from(table).where(*conditions)
    ).scalar_one()


def first_of_each(
    db: TenantSession,
    table: FromClause,
    conditions: Sequence[Any],
    parent: str,
    request: PageRequest,
    cls: type[T],
) -> dict[str, Page[T]]:
    """A page below every parent in the order of creation, by one statement."""
    where = list(conditions)
    key = table.c.id
    if request.after:
        where.append(_beyond(key, key, request.after, descending=request.descending))
    if request.before:
        where.append(_beyond(key, key, request.before, descending=not request.descending))
    reverse = request.descending != request.backwards
    number = func.row_number().over(
        partition_by=table.c[parent], order_by=key.desc() if reverse else key
    )
    ranked = select(table, number.label("rank_in_parent")).where(*where).subquery()
    rows = db.connection.execute(
        select(ranked)
        .where(ranked.c.rank_in_parent <= request.size + 1)
        .order_by(ranked.c[parent], ranked.c.rank_in_parent)
    ).mappings()
    grouped: dict[str, list[Mapping[Any, Any]]] = {}
    for row in rows:
        grouped.setdefault(row[parent], []).append(row)
    return {name: _page(group, "id", request, cls, to_facts) for name, group in grouped.items()}


def count_of_each(
    db: TenantSession, table: FromClause, conditions: Sequence[Any], parent: str
) -> dict[str, int]:
    """How many rows each parent has; those without any are left out."""
    rows = db.connection.execute(
        select(table.c[parent], func.count()).where(*conditions).group_by(table.c[parent])
    )
    return {row[0]: row[1] for row in rows}
