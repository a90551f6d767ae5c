"""Connections: sources of users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Subquery, exists, select
from sqlalchemy import delete as sql_delete

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ConnectionFacts
from tenantry.store import pages, records
from tenantry.store.epochs import bump
from tenantry.store.pages import Page, PageRequest
from tenantry.store.tables import (
    connection_applications,
    connections,
    organization_connections,
    users,
)
from tenantry.store.unit_of_work import TenantSession


def create(db: TenantSession, values: Mapping[str, Any]) -> str:
    taken = DomainError(ErrorCode.ALREADY_EXISTS, "A connection with this name exists.", "name")
    row_id = records.create(db, connections, values, taken)
    bump(db)
    return row_id


def find(db: TenantSession, id: str) -> ConnectionFacts | None:
    return records.find(db, connections, ConnectionFacts, id=id)


def find_by_name(db: TenantSession, name: str) -> ConnectionFacts | None:
    return records.find(db, connections, ConnectionFacts, name=name)


def find_by_ids(db: TenantSession, ids: Sequence[str]) -> dict[str, ConnectionFacts]:
    return records.find_many(db, connections, ConnectionFacts, "id", ids)


def change(
    db: TenantSession,
    current: ConnectionFacts,
    values: Mapping[str, Any],
    expected_revision: int | None = None,
) -> None:
    records.change(db, connections, current, values, expected_revision)
    bump(db)


def delete(
    db: TenantSession, current: ConnectionFacts, expected_revision: int | None = None
) -> None:
    records.remove(db, connections, current, expected_revision)
    for table in (connection_applications, organization_connections):
        db.connection.execute(
            sql_delete(table).where(
                table.c.tenant_id == db.tenant_id, table.c.connection_id == current.id
            )
        )
    bump(db)


def has_users(db: TenantSession, connection_id: str) -> bool:
    return bool(
        db.connection.execute(
            select(
                exists().where(
                    users.c.tenant_id == db.tenant_id, users.c.connection_id == connection_id
                )
            )
        ).scalar_one()
    )


def all_ids(db: TenantSession) -> tuple[str, ...]:
    rows = db.connection.execute(
        select(connections.c.id)
        .where(connections.c.tenant_id == db.tenant_id)
        .order_by(connections.c.name)
    )
    return tuple(rows.scalars())


def page(
    db: TenantSession, request: PageRequest, name_contains: str | None = None
) -> Page[ConnectionFacts]:
    conditions = pages.narrowed(db, connections.c.name, name_contains)
    return pages.fetch_page(db, connections, conditions, request, ConnectionFacts)


def count(db: TenantSession, name_contains: str | None = None) -> int:
    return pages.count(db, connections, pages.narrowed(db, connections.c.name, name_contains))


def first_of_each_application(
    db: TenantSession, application_ids: Sequence[str], request: PageRequest
) -> dict[str, Page[ConnectionFacts]]:
    """The enabled connections of many applications, by one statement."""
    enabled = _enabled(db, application_ids)
    return pages.first_of_each(db, enabled, [], "application_id", request, ConnectionFacts)


def count_of_each_application(db: TenantSession, application_ids: Sequence[str]) -> dict[str, int]:
    """How many connections are enabled for each application, by one statement."""
    return pages.count_of_each(db, _enabled(db, application_ids), [], "application_id")


def _enabled(db: TenantSession, application_ids: Sequence[str]) -> Subquery:
    return (
        select(connections, connection_applications.c.application_id)
        .join(
            connection_applications,
            (connection_applications.c.tenant_id == connections.c.tenant_id)
            & (connection_applications.c.connection_id == connections.c.id),
        )
        .where(
            connections.c.tenant_id == db.tenant_id,
            connection_applications.c.application_id.in_(application_ids),
        )
        .subquery()
    )
