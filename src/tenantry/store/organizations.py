"""Organizations, with the connections that sign in to them. Configuration, so cached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Subquery, select
from sqlalchemy import delete as sql_delete
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.ids import new_id
from tenantry.core.organizations import OrganizationConnectionFacts, OrganizationFacts
from tenantry.rules.organizations import ID_PREFIX
from tenantry.store import pages, records
from tenantry.store.epochs import bump
from tenantry.store.pages import Page, PageRequest
from tenantry.store.rows import to_facts
from tenantry.store.tables import (
    organization_connections,
    organization_grants,
    organization_invitations,
    organization_member_roles,
    organization_members,
    organizations,
)
from tenantry.store.unit_of_work import TenantSession

_BELOW = (
    organization_connections,
    organization_grants,
    organization_invitations,
    organization_member_roles,
    organization_members,
)


def _taken() -> DomainError:
    return DomainError(ErrorCode.ALREADY_EXISTS, "An organization has this name.", "name")


def create(db: TenantSession, values: Mapping[str, Any]) -> str:
    row_id = records.create(db, organizations, values, _taken(), f"{ID_PREFIX}{new_id()}")
    bump(db)
    return row_id


def find(db: TenantSession, id: str) -> OrganizationFacts | None:
    return records.find(db, organizations, OrganizationFacts, id=id)


def find_by_name(db: TenantSession, name: str) -> OrganizationFacts | None:
    return records.find(db, organizations, OrganizationFacts, name=name)


def find_by_ids(db: TenantSession, ids: Sequence[str]) -> dict[str, OrganizationFacts]:
    return records.find_many(db, organizations, OrganizationFacts, "id", ids)


def change(
    db: TenantSession,
    current: OrganizationFacts,
    values: Mapping[str, Any],
    expected_revision: int | None = None,
) -> None:
    records.change(db, organizations, current, values, expected_revision, _taken())
    bump(db)


def delete(
    db: TenantSession, current: OrganizationFacts, expected_revision: int | None = None
) -> None:
    """With its members, invitations and connections."""
    records.remove(db, organizations, current, expected_revision)
    for table in _BELOW:
        db.connection.execute(
            sql_delete(table).where(
                table.c.tenant_id == db.tenant_id, table.c.organization_id == current.id
            )
        )
    bump(db)


def page(
    db: TenantSession, request: PageRequest, name_contains: str | None = None
) -> Page[OrganizationFacts]:
    conditions = _conditions(db, name_contains)
    return pages.fetch_page(db, organizations, conditions, request, OrganizationFacts)


def count(db: TenantSession, name_contains: str | None = None) -> int:
    return pages.count(db, organizations, _conditions(db, name_contains))


def _conditions(db: TenantSession, name_contains: str | None) -> list[Any]:
    conditions: list[Any] = [organizations.c.tenant_id == db.tenant_id]
    if name_contains:
        conditions.append(organizations.c.name.icontains(name_contains, autoescape=True))
    return conditions


def first_of_each_user(
    db: TenantSession, user_ids: Sequence[str], request: PageRequest
) -> dict[str, Page[OrganizationFacts]]:
    """The first organizations of many users, by one statement."""
    joined = _joined(db, user_ids)
    return pages.first_of_each(db, joined, [], "user_id", request, OrganizationFacts)


def count_of_each_user(db: TenantSession, user_ids: Sequence[str]) -> dict[str, int]:
    """How many organizations each user belongs to, by one statement."""
    return pages.count_of_each(db, _joined(db, user_ids), [], "user_id")


def _joined(db: TenantSession, user_ids: Sequence[str]) -> Subquery:
    return (
        select(organizations, organization_members.c.user_id)
        .join(
            organization_members,
            (organization_members.c.tenant_id == organizations.c.tenant_id)
            & (organization_members.c.organization_id == organizations.c.id),
        )
        .where(
            organizations.c.tenant_id == db.tenant_id,
            organization_members.c.user_id.in_(user_ids),
        )
        .subquery()
    )


def enable_connection(
    db: TenantSession, organization_id: str, connection_id: str, *, assign_membership_on_login: bool
) -> None:
    """Lets the users of a connection sign in, or changes how they do."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    key = {
        "tenant_id": db.tenant_id,
        "organization_id": organization_id,
        "connection_id": connection_id,
    }
    setting = {"assign_membership_on_login": assign_membership_on_login}
    db.connection.execute(
        insert(organization_connections)
        .values(**key, **setting)
        .on_conflict_do_update(index_elements=list(key), set_=setting)
    )


def disable_connection(db: TenantSession, organization_id: str, connection_id: str) -> bool:
    """Whether it was enabled until now."""
    return bool(
        db.connection.execute(
            sql_delete(organization_connections).where(
                organization_connections.c.tenant_id == db.tenant_id,
                organization_connections.c.organization_id == organization_id,
                organization_connections.c.connection_id == connection_id,
            )
        ).rowcount
    )


def connections_of_each(
    db: TenantSession, organization_ids: Sequence[str]
) -> dict[str, tuple[OrganizationConnectionFacts, ...]]:
    """The enabled connections of many organizations, the oldest first, by one statement."""
    rows = db.connection.execute(
        select(organization_connections)
        .where(
            organization_connections.c.tenant_id == db.tenant_id,
            organization_connections.c.organization_id.in_(organization_ids),
        )
        .order_by(organization_connections.c.connection_id)
    ).mappings()
    found: dict[str, tuple[OrganizationConnectionFacts, ...]] = {}
    for row in rows:
        facts = to_facts(OrganizationConnectionFacts, row)
        found[facts.organization_id] = (*found.get(facts.organization_id, ()), facts)
    return found
