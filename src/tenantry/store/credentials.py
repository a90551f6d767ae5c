"""Credentials: uploaded public keys of applications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from tenantry.core.credentials import CredentialFacts
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.store import pages, records
from tenantry.store.epochs import bump
from tenantry.store.pages import Page, PageRequest
from tenantry.store.rows import to_facts
from tenantry.store.tables import credentials
from tenantry.store.unit_of_work import TenantSession


def create(db: TenantSession, values: Mapping[str, Any], id: str | None = None) -> str:
    """The same key counts once for an application. Returns the id."""
    taken = DomainError(
        ErrorCode.ALREADY_EXISTS, "The application has a credential with this key already.", "pem"
    )
    row_id = records.create(db, credentials, values, taken, id)
    bump(db)
    return row_id


def find(db: TenantSession, id: str) -> CredentialFacts | None:
    return records.find(db, credentials, CredentialFacts, id=id)


def of_application(db: TenantSession, application_id: str) -> tuple[CredentialFacts, ...]:
    """All of one application, the oldest first."""
    return of_each_application(db, [application_id]).get(application_id, ())


def of_each_application(
    db: TenantSession, application_ids: Sequence[str]
) -> dict[str, tuple[CredentialFacts, ...]]:
    """All of many applications, the oldest first, by one statement."""
    rows = db.connection.execute(
        select(credentials)
        .where(
            credentials.c.tenant_id == db.tenant_id,
            credentials.c.application_id.in_(application_ids),
        )
        .order_by(credentials.c.id)
    ).mappings()
    found: dict[str, tuple[CredentialFacts, ...]] = {}
    for row in rows:
        application_id = row["application_id"]
        found[application_id] = (*found.get(application_id, ()), to_facts(CredentialFacts, row))
    return found


def change(
    db: TenantSession,
    current: CredentialFacts,
    values: Mapping[str, Any],
    expected_revision: int | None = None,
) -> None:
    records.change(db, credentials, current, values, expected_revision)
    bump(db)


def delete(
    db: TenantSession, current: CredentialFacts, expected_revision: int | None = None
) -> None:
    records.remove(db, credentials, current, expected_revision)
    bump(db)


def first_of_each_application(
    db: TenantSession, application_ids: Sequence[str], request: PageRequest
) -> dict[str, Page[CredentialFacts]]:
    """The first credentials of many applications, by one statement."""
    return pages.first_of_each(
        db, credentials, _of(db, application_ids), "application_id", request, CredentialFacts
    )


def count_of_each_application(db: TenantSession, application_ids: Sequence[str]) -> dict[str, int]:
    """How many credentials each application has, by one statement."""
    return pages.count_of_each(db, credentials, _of(db, application_ids), "application_id")


def _of(db: TenantSession, application_ids: Sequence[str]) -> list[Any]:
    return [
        credentials.c.tenant_id == db.tenant_id,
        credentials.c.application_id.in_(application_ids),
    ]
