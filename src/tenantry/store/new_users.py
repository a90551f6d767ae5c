"""Users that come many at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, or_, select
from sqlalchemy.exc import IntegrityError

from tenantry.core.errors import DomainError
from tenantry.core.facts import UserFacts
from tenantry.rules.fields import normalize_email
from tenantry.store import records, tables, user_search
from tenantry.store.rows import to_facts
from tenantry.store.unit_of_work import TenantSession
from tenantry.store.users import create, taken, with_keys


def create_each(
    db: TenantSession, rows: Sequence[Mapping[str, Any]]
) -> tuple[str | DomainError, ...]:
    """Inserts many rows of one connection: the id of each, or why it was refused.

    One statement for all whose email and username are free.
    """
    keyed = [with_keys(row) for row in rows]
    held = _taken_keys(db, keyed)
    outcomes: list[str | DomainError] = []
    free: list[dict[str, Any]] = []
    for row in keyed:
        keys = _keys_of(row)
        if keys & held:
            outcomes.append(taken())
            continue
        held |= keys
        stored = records.new_row(db, row)
        free.append(stored)
        outcomes.append(stored["id"])
    if not free:
        return tuple(outcomes)
    try:
        with db.connection.begin_nested():
            db.connection.execute(insert(tables.users), free)
    except IntegrityError:  # Another transaction took a key meanwhile: find out which.
        return tuple(_created_or_refused(db, row) for row in rows)
    user_search.index_all(db, {row["id"]: row for row in free})
    return tuple(outcomes)


def _created_or_refused(db: TenantSession, row: Mapping[str, Any]) -> str | DomainError:
    try:
        return create(db, row)
    except DomainError as refusal:
        return refusal


def _keys_of(row: Mapping[str, Any]) -> set[tuple[str, str]]:
    names = ("email_key", "username_key")
    return {(name, row[name]) for name in names if row[name] is not None}


def _taken_keys(db: TenantSession, rows: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Which of their emails and usernames the connection has."""
    wanted = {key for row in rows for key in _keys_of(row)}
    found: set[tuple[str, str]] = set()
    for name in ("email_key", "username_key"):
        values = [value for key, value in wanted if key == name]
        rows_held = db.connection.execute(
            select(tables.users.c[name]).where(
                tables.users.c.tenant_id == db.tenant_id,
                tables.users.c.connection_id == rows[0]["connection_id"],
                tables.users.c[name].in_(values),
            )
        )
        found |= {(name, value) for value in rows_held.scalars()}
    return found


def find_by_identifier(
    db: TenantSession, connection_id: str, email: str | None, username: str | None
) -> UserFacts | None:
    """The user of a connection by the email or, without one, by the username."""
    values = with_keys({"email": email} if email else {"username": username})
    name = "email_key" if email else "username_key"
    if values[name] is None:
        return None
    key = {"connection_id": connection_id, name: values[name]}
    return records.find(db, tables.users, UserFacts, **key)


def find_by_identifiers(
    db: TenantSession, connection_ids: Sequence[str], identifiers: Sequence[str]
) -> tuple[UserFacts, ...]:
    """Those of some connections who have one of these as their email or username, by id."""
    users, keys = tables.users, {normalize_email(one) for one in identifiers}
    rows = db.connection.execute(
        select(users)
        .where(
            users.c.tenant_id == db.tenant_id,
            users.c.connection_id.in_(connection_ids),
            or_(users.c.email_key.in_(keys), users.c.username_key.in_(keys)),
        )
        .order_by(users.c.id)
    ).mappings()
    return tuple(to_facts(UserFacts, row) for row in rows)
