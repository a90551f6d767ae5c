"""Trusted documents: what may be run by its digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.trusted_documents import TrustedDocumentFacts
from tenantry.store import pages, records
from tenantry.store.epochs import bump
from tenantry.store.pages import Page, PageRequest
from tenantry.store.tables import trusted_documents
from tenantry.store.unit_of_work import TenantSession


def create(db: TenantSession, values: Mapping[str, Any]) -> str:
    taken = DomainError(ErrorCode.ALREADY_EXISTS, "This document is trusted already.", "document")
    row_id = records.create(db, trusted_documents, values, taken)
    bump(db)
    return row_id


def find(db: TenantSession, id: str) -> TrustedDocumentFacts | None:
    return records.find(db, trusted_documents, TrustedDocumentFacts, id=id)


def find_by_digest(db: TenantSession, digest: str) -> TrustedDocumentFacts | None:
    return records.find(db, trusted_documents, TrustedDocumentFacts, digest=digest)


def delete(
    db: TenantSession, current: TrustedDocumentFacts, expected_revision: int | None = None
) -> None:
    records.remove(db, trusted_documents, current, expected_revision)
    bump(db)


def page(
    db: TenantSession, request: PageRequest, name_contains: str | None = None
) -> Page[TrustedDocumentFacts]:
    conditions = pages.narrowed(db, trusted_documents.c.name, name_contains)
    return pages.fetch_page(db, trusted_documents, conditions, request, TrustedDocumentFacts)


def count(db: TenantSession, name_contains: str | None = None) -> int:
    return pages.count(
        db, trusted_documents, pages.narrowed(db, trusted_documents.c.name, name_contains)
    )
