"""Trusted issuers: whose assertions about users count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import TrustedIssuerFacts
from tenantry.store import pages, records
from tenantry.store.epochs import bump
from tenantry.store.pages import Page, PageRequest
from tenantry.store.tables import trusted_issuers
from tenantry.store.unit_of_work import TenantSession


def _taken() -> DomainError:
    return DomainError(ErrorCode.ALREADY_EXISTS, "This issuer is trusted already.", "issuer")


def create(db: TenantSession, values: Mapping[str, Any]) -> str:
    row_id = records.create(db, trusted_issuers, values, _taken())
    bump(db)
    return row_id


def find(db: TenantSession, id: str) -> TrustedIssuerFacts | None:
    return records.find(db, trusted_issuers, TrustedIssuerFacts, id=id)


def find_by_issuer(db: TenantSession, issuer: str) -> TrustedIssuerFacts | None:
    return records.find(db, trusted_issuers, TrustedIssuerFacts, issuer=issuer)


def change(
    db: TenantSession,
    current: TrustedIssuerFacts,
    values: Mapping[str, Any],
    expected_revision: int | None = None,
) -> None:
    records.change(db, trusted_issuers, current, values, expected_revision)
    bump(db)


def delete(
    db: TenantSession, current: TrustedIssuerFacts, expected_revision: int | None = None
) -> None:
    records.remove(db, trusted_issuers, current, expected_revision)
    bump(db)


def page(
    db: TenantSession, request: PageRequest, issuer_contains: str | None = None
) -> Page[TrustedIssuerFacts]:
    conditions = pages.narrowed(db, trusted_issuers.c.issuer, issuer_contains)
    return pages.fetch_page(db, trusted_issuers, conditions, request, TrustedIssuerFacts)


def count(db: TenantSession, issuer_contains: str | None = None) -> int:
    return pages.count(
        db, trusted_issuers, pages.narrowed(db, trusted_issuers.c.issuer, issuer_contains)
    )
