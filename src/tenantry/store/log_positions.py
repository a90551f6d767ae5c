"""Where an event stands in the log: in the order in which transactions become visible.

On SQLite one transaction writes at a time, and a count that each raises is that order. On
PostgreSQL it is the transaction's id, below the oldest that still runs: a row at or above that one
may yet have company below it, so it is not read before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Insert,
    Text,
    and_,
    bindparam,
    cast,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects import sqlite

from tenantry.store.tables import epochs, log_events

Position = tuple[int, str]
"""A position and the id of an event."""

LAST_ID = "~"
"""Greater than every id."""
_SCOPE = "log"


def begin(connection: Connection, *, is_sqlite: bool) -> None:
    """Goes before the events of a transaction."""
    if is_sqlite:
        connection.execute(_RAISE)


def insertion(columns: Iterable[str], *, is_sqlite: bool) -> Insert:
    """An INSERT of events; `columns` are given, and the position is the database's."""
    here: Any = _COUNT if is_sqlite else _number(func.pg_current_xact_id())
    given = {name: bindparam(name, type_=log_events.c[name].type) for name in columns}
    return insert(log_events).values(given | {"position": here})


def settled(*, is_sqlite: bool) -> ColumnElement[bool]:
    """The events before which no other will appear."""
    if is_sqlite:
        return true()
    below: ColumnElement[bool] = log_events.c.position < _number(
        func.pg_snapshot_xmin(func.pg_current_snapshot())
    )
    return below


def beyond(position: Any, event_id: Any) -> ColumnElement[bool]:
    """The events after a place; values, or columns of a stream."""
    own = log_events.c.position
    # The first condition bounds the range of the index, which the second only describes.
    return and_(own >= position, or_(own > position, log_events.c.id > event_id))


def head(connection: Connection, *, is_sqlite: bool) -> Position:
    """The place after all that is settled now."""
    if is_sqlite:
        return connection.execute(select(func.coalesce(_COUNT, 0))).scalar_one(), LAST_ID
    oldest = _number(func.pg_snapshot_xmin(func.pg_current_snapshot()))
    return connection.execute(select(oldest - 1)).scalar_one(), LAST_ID


def _number(transaction_id: Any) -> Any:
    return cast(cast(transaction_id, Text), BigInteger)


_COUNT = (
    select(epochs.c.value).where(epochs.c.scope == literal_column(f"'{_SCOPE}'")).scalar_subquery()
)
_RAISE = (
    sqlite.insert(epochs)
    .values(scope=_SCOPE, value=1)
    .on_conflict_do_update(index_elements=[epochs.c.scope], set_={"value": epochs.c.value + 1})
)
