"""APIs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ResourceServerFacts
from tenantry.store import pages, records
from tenantry.store.epochs import bump
from tenantry.store.pages import Page, PageRequest
from tenantry.store.tables import resource_servers
from tenantry.store.unit_of_work import TenantSession


def create(db: TenantSession, values: Mapping[str, Any]) -> str:
    taken = DomainError(
        ErrorCode.ALREADY_EXISTS, "An API with this identifier exists.", "identifier"
    )
    row_id = records.create(db, resource_servers, values, taken)
    bump(db)
    return row_id


def find(db: TenantSession, id: str) -> ResourceServerFacts | None:
    return records.find(db, resource_servers, ResourceServerFacts, id=id)


def find_by_identifier(db: TenantSession, identifier: str) -> ResourceServerFacts | None:
    return records.find(db, resource_servers, ResourceServerFacts, identifier=identifier)


def find_by_identifiers(
    db: TenantSession, identifiers: Sequence[str]
) -> dict[str, ResourceServerFacts]:
    return records.find_many(db, resource_servers, ResourceServerFacts, "identifier", identifiers)


def change(
    db: TenantSession,
    current: ResourceServerFacts,
    values: Mapping[str, Any],
    expected_revision: int | None = None,
) -> None:
    records.change(db, resource_servers, current, values, expected_revision)
    bump(db)


def delete(
    db: TenantSession, current: ResourceServerFacts, expected_revision: int | None = None
) -> None:
    records.remove(db, resource_servers, current, expected_revision)
    bump(db)


def page(
    db: TenantSession, request: PageRequest, name_contains: str | None = None
) -> Page[ResourceServerFacts]:
    return pages.fetch_page(
        db, resource_servers, _conditions(db, name_contains), request, ResourceServerFacts
    )


def count(db: TenantSession, name_contains: str | None = None) -> int:
    return pages.count(db, resource_servers, _conditions(db, name_contains))


def _conditions(db: TenantSession, name_contains: str | None) -> list[Any]:
    conditions: list[Any] = [resource_servers.c.tenant_id == db.tenant_id]
    if name_contains:
        conditions.append(resource_servers.c.name.icontains(name_contains, autoescape=True))
    return conditions
