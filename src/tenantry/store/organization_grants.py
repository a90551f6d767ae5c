"""The organizations that client grants may be used for. Configuration, so cached."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Subquery, select
from sqlalchemy import delete as sql_delete
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.organizations import OrganizationFacts
from tenantry.store import pages
from tenantry.store.epochs import bump
from tenantry.store.pages import Page, PageRequest
from tenantry.store.records import find_row
from tenantry.store.tables import organization_grants, organizations
from tenantry.store.unit_of_work import TenantSession


def add(db: TenantSession, client_grant_id: str, organization_ids: Sequence[str]) -> None:
    """Adds organizations that the grant does not cover yet."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    key = {"tenant_id": db.tenant_id, "client_grant_id": client_grant_id}
    if organization_ids:
        db.connection.execute(
            insert(organization_grants).on_conflict_do_nothing(),
            [key | {"organization_id": id_} for id_ in organization_ids],
        )
    bump(db)


def remove(db: TenantSession, client_grant_id: str, organization_ids: Sequence[str]) -> None:
    db.connection.execute(
        sql_delete(organization_grants).where(
            organization_grants.c.tenant_id == db.tenant_id,
            organization_grants.c.client_grant_id == client_grant_id,
            organization_grants.c.organization_id.in_(organization_ids),
        )
    )
    bump(db)


def covers(db: TenantSession, key: tuple[str, str]) -> bool | None:
    """True where a client grant covers an organization, else None. `key` has both ids."""
    client_grant_id, organization_id = key
    found = find_row(
        db, organization_grants, client_grant_id=client_grant_id, organization_id=organization_id
    )
    return True if found else None


def names_of_all(db: TenantSession) -> dict[str, tuple[str, ...]]:
    """The names of the organizations that every client grant covers, in order."""
    rows = db.connection.execute(
        select(organization_grants.c.client_grant_id, organizations.c.name)
        .join(
            organizations,
            (organization_grants.c.tenant_id == organizations.c.tenant_id)
            & (organization_grants.c.organization_id == organizations.c.id),
        )
        .where(organization_grants.c.tenant_id == db.tenant_id)
    )
    found: dict[str, list[str]] = {}
    for client_grant_id, name in rows:
        found.setdefault(client_grant_id, []).append(name)
    return {client_grant_id: tuple(sorted(names)) for client_grant_id, names in found.items()}


def first_of_each(
    db: TenantSession, client_grant_ids: Sequence[str], request: PageRequest
) -> dict[str, Page[OrganizationFacts]]:
    """The first organizations of many client grants, by one statement."""
    covered = _covered(db, client_grant_ids)
    return pages.first_of_each(db, covered, [], "client_grant_id", request, OrganizationFacts)


def count_of_each(db: TenantSession, client_grant_ids: Sequence[str]) -> dict[str, int]:
    return pages.count_of_each(db, _covered(db, client_grant_ids), [], "client_grant_id")


def _covered(db: TenantSession, client_grant_ids: Sequence[str]) -> Subquery:
    return (
        select(organizations, organization_grants.c.client_grant_id)
        .join(
            organization_grants,
            (organization_grants.c.tenant_id == organizations.c.tenant_id)
            & (organization_grants.c.organization_id == organizations.c.id),
        )
        .where(
            organizations.c.tenant_id == db.tenant_id,
            organization_grants.c.client_grant_id.in_(client_grant_ids),
        )
        .subquery()
    )
