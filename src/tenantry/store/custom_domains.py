"""Custom domains of a tenant; `verified_domains` says which of them count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenantry.core.custom_domains import CustomDomainFacts, CustomDomainStatus
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.store import pages, records
from tenantry.store.epochs import bump
from tenantry.store.pages import Page, PageRequest
from tenantry.store.tables import custom_domains
from tenantry.store.unit_of_work import INSTALLATION, TenantSession


def _taken() -> DomainError:
    return DomainError(ErrorCode.ALREADY_EXISTS, "The tenant has this domain already.", "domain")


def create(db: TenantSession, values: Mapping[str, Any]) -> str:
    return records.create(db, custom_domains, values, _taken())


def find(db: TenantSession, id: str) -> CustomDomainFacts | None:
    return records.find(db, custom_domains, CustomDomainFacts, id=id)


def change(
    db: TenantSession,
    current: CustomDomainFacts,
    values: Mapping[str, Any],
    expected_revision: int | None = None,
) -> None:
    records.change(db, custom_domains, current, values, expected_revision)
    _announce(db)


def delete(
    db: TenantSession, current: CustomDomainFacts, expected_revision: int | None = None
) -> None:
    records.remove(db, custom_domains, current, expected_revision)
    _announce(db)


def _announce(db: TenantSession) -> None:
    """What a host is belongs to the installation; what applications may with it, to the tenant."""
    bump(db, INSTALLATION)
    bump(db)


def page(
    db: TenantSession,
    request: PageRequest,
    domain_contains: str | None = None,
    status: CustomDomainStatus | None = None,
) -> Page[CustomDomainFacts]:
    conditions = _conditions(db, domain_contains, status)
    return pages.fetch_page(db, custom_domains, conditions, request, CustomDomainFacts)


def count(
    db: TenantSession, domain_contains: str | None = None, status: CustomDomainStatus | None = None
) -> int:
    return pages.count(db, custom_domains, _conditions(db, domain_contains, status))


def _conditions(
    db: TenantSession, domain_contains: str | None, status: CustomDomainStatus | None
) -> list[Any]:
    conditions = pages.narrowed(db, custom_domains.c.domain, domain_contains)
    if status:
        conditions.append(custom_domains.c.status == status.value)
    return conditions
