"""What every noun's rows have in common: inserting, finding, changing by revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Select, Table, Update, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import Stored
from tenantry.core.ids import new_id
from tenantry.store.rows import to_facts, to_row
from tenantry.store.unit_of_work import TenantSession

S = TypeVar("S", bound=Stored)


def create(
    db: TenantSession,
    table: Table,
    values: Mapping[str, Any],
    taken: DomainError,
    id: str | None = None,
) -> str:
    """Inserts a row and returns its id; raises `taken` where a unique key already has it."""
    row = new_row(db, values, id)
    row_id: str = row["id"]
    try:
        with db.connection.begin_nested():
            db.connection.execute(insert(table), [row])
    except IntegrityError:
        raise taken from None
    return row_id


def new_row(db: TenantSession, values: Mapping[str, Any], id: str | None = None) -> dict[str, Any]:
    """What is inserted for a new object."""
    return {
        **to_row(values),
        "tenant_id": db.tenant_id,
        "id": id or new_id(),
        "revision": 1,
        "created_at": db.now,
        "updated_at": db.now,
    }


def find(
    db: TenantSession, table: Table, cls: type[S], *, for_update: bool = False, **equal: Any
) -> S | None:
    """The row whose columns are `equal`; `for_update` keeps it from others until the commit."""
    row = find_row(db, table, for_update=for_update, **equal)
    return to_facts(cls, row) if row else None


def find_row(
    db: TenantSession, table: Table, *, for_update: bool = False, **equal: Any
) -> Mapping[Any, Any] | None:
    """The same as it is stored, for what has no revision."""
    given = {name: value for name, value in equal.items() if value is not None}
    missing = tuple(name for name in equal if name not in given)
    statement = _by(table, tuple(given), missing, for_update=for_update)
    found = db.connection.execute(statement, {"tenant_id": db.tenant_id, **given})
    return found.mappings().one_or_none()


@cache
def _by(
    table: Table, given: tuple[str, ...], missing: tuple[str, ...], *, for_update: bool
) -> Select[Any]:
    """Built once for its columns: to build it for each row took longer than to send it."""
    statement = select(table).where(
        *(table.c[name] == bindparam(name) for name in ("tenant_id", *given)),
        *(table.c[name].is_(None) for name in missing),
    )
    return statement.with_for_update() if for_update else statement


def find_many(
    db: TenantSession, table: Table, cls: type[S], column: str, values: Sequence[str]
) -> dict[str, S]:
    """The rows whose `column` is one of `values`, by that value: one statement."""
    rows = db.connection.execute(
        select(table).where(table.c.tenant_id == db.tenant_id, table.c[column].in_(values))
    ).mappings()
    return {row[column]: to_facts(cls, row) for row in rows}


def change(
    db: TenantSession,
    table: Table,
    current: Stored,
    values: Mapping[str, Any],
    expected_revision: int | None = None,
    taken: DomainError | None = None,
) -> None:
    """Writes `values` if the row is still at the revision that was read."""
    require_revision(current, expected_revision)
    named = {"row_tenant": db.tenant_id, "row_id": current.id, "row_revision": current.revision}
    changes = {**to_row(values), "revision": current.revision + 1, "updated_at": db.now}
    try:
        with db.connection.begin_nested():
            changed = db.connection.execute(_changing(table), named | changes).rowcount
    except IntegrityError:
        if taken is None:
            raise
        raise taken from None
    if not changed:
        raise overtaken(db, table, current)


@cache
def _changing(table: Table) -> Update:
    return update(table).where(
        table.c.tenant_id == bindparam("row_tenant"),
        table.c.id == bindparam("row_id"),
        table.c.revision == bindparam("row_revision"),
    )


def remove(
    db: TenantSession, table: Table, current: Stored, expected_revision: int | None = None
) -> None:
    """Of those who remove a row at the same moment one succeeds."""
    require_revision(current, expected_revision)
    here = [table.c.tenant_id == db.tenant_id, table.c.id == current.id]
    if expected_revision is not None:
        here.append(table.c.revision == expected_revision)
    if not db.connection.execute(delete(table).where(*here)).rowcount:
        raise overtaken(db, table, current)


def overtaken(db: TenantSession, table: Table, current: Stored, **equal: Any) -> DomainError:
    """Another transaction changed or removed what this one had read."""
    row = find_row(db, table, id=current.id, **equal)
    return _conflict(row["revision"]) if row else not_found("object")


def require_revision(current: Stored, expected: int | None) -> None:
    if expected is not None and expected != current.revision:
        raise _conflict(current.revision)


def _conflict(current_revision: int) -> DomainError:
    return DomainError(
        ErrorCode.CONFLICT,
        f"The object has changed since: its revision is {current_revision}.",
        "expected_revision",
        current_revision=current_revision,
    )
