"""Client grants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import select

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ClientGrantFacts, SubjectType
from tenantry.store import pages, records
from tenantry.store.epochs import bump
from tenantry.store.pages import Page, PageRequest
from tenantry.store.tables import client_grants, organization_grants
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class ClientGrantFilter:
    client_id: str | None = None
    audience: str | None = None
    subject_type: SubjectType | None = None


def create(db: TenantSession, values: Mapping[str, Any]) -> str:
    taken = DomainError(
        ErrorCode.ALREADY_EXISTS,
        "The application already has a grant of this subject type for this API.",
        "audience",
    )
    row_id = records.create(db, client_grants, values, taken)
    bump(db)
    return row_id


def find(db: TenantSession, id: str) -> ClientGrantFacts | None:
    return records.find(db, client_grants, ClientGrantFacts, id=id)


def find_for(db: TenantSession, key: tuple[str, str, SubjectType]) -> ClientGrantFacts | None:
    """`key` is the client id, the audience and the subject type."""
    client_id, audience, subject_type = key
    return records.find(
        db,
        client_grants,
        ClientGrantFacts,
        client_id=client_id,
        audience=audience,
        subject_type=subject_type.value,
    )


def change(
    db: TenantSession,
    current: ClientGrantFacts,
    values: Mapping[str, Any],
    expected_revision: int | None = None,
) -> None:
    records.change(db, client_grants, current, values, expected_revision)
    bump(db)


def delete(
    db: TenantSession, current: ClientGrantFacts, expected_revision: int | None = None
) -> None:
    records.require_revision(current, expected_revision)
    expected = [] if expected_revision is None else [client_grants.c.revision == expected_revision]
    if not _delete(db, client_grants.c.id == current.id, *expected):
        raise records.overtaken(db, client_grants, current)


def delete_for_audience(db: TenantSession, audience: str) -> None:
    _delete(db, client_grants.c.audience == audience)


def delete_for_client(db: TenantSession, client_id: str) -> None:
    _delete(db, client_grants.c.client_id == client_id)


def _delete(db: TenantSession, *conditions: Any) -> int:
    """With the organizations that they are for. Returns how many there were."""
    where = (client_grants.c.tenant_id == db.tenant_id, *conditions)
    db.connection.execute(
        sql_delete(organization_grants).where(
            organization_grants.c.tenant_id == db.tenant_id,
            organization_grants.c.client_grant_id.in_(select(client_grants.c.id).where(*where)),
        )
    )
    deleted = db.connection.execute(sql_delete(client_grants).where(*where)).rowcount
    bump(db)
    return deleted


def page(
    db: TenantSession, criteria: ClientGrantFilter, request: PageRequest
) -> Page[ClientGrantFacts]:
    return pages.fetch_page(db, client_grants, _conditions(db, criteria), request, ClientGrantFacts)


def count(db: TenantSession, criteria: ClientGrantFilter) -> int:
    return pages.count(db, client_grants, _conditions(db, criteria))


def first_of_each_client(
    db: TenantSession, client_ids: Sequence[str], request: PageRequest
) -> dict[str, Page[ClientGrantFacts]]:
    """The first grants of many applications, by one statement."""
    conditions = [
        client_grants.c.tenant_id == db.tenant_id,
        client_grants.c.client_id.in_(client_ids),
    ]
    return pages.first_of_each(
        db, client_grants, conditions, "client_id", request, ClientGrantFacts
    )


def count_of_each_client(db: TenantSession, client_ids: Sequence[str]) -> dict[str, int]:
    """How many grants each application has, by one statement."""
    conditions = [
        client_grants.c.tenant_id == db.tenant_id,
        client_grants.c.client_id.in_(client_ids),
    ]
    return pages.count_of_each(db, client_grants, conditions, "client_id")


def _conditions(db: TenantSession, criteria: ClientGrantFilter) -> list[Any]:
    conditions: list[Any] = [client_grants.c.tenant_id == db.tenant_id]
    if criteria.client_id:
        conditions.append(client_grants.c.client_id == criteria.client_id)
    if criteria.audience:
        conditions.append(client_grants.c.audience == criteria.audience)
    if criteria.subject_type:
        conditions.append(client_grants.c.subject_type == criteria.subject_type.value)
    return conditions
