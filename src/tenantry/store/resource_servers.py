"""APIs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import String, cast, select

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ResourceServerFacts
from tenantry.core.ids import new_id
from tenantry.store import pages, records
from tenantry.store.epochs import bump
from tenantry.store.pages import Page, PageRequest
from tenantry.store.tables import resource_servers
from tenantry.store.unit_of_work import TenantSession


def create(
    db: TenantSession, values: Mapping[str, Any], signing_secret: bytes | None = None
) -> str:
    """`signing_secret` is kept in an envelope that is bound to the row."""
    row_id = new_id()
    if signing_secret is not None:
        envelope = db.vault.encrypt(signing_secret, envelope_row(db.tenant_id, row_id))
        values = {**values, "signing_secret": envelope}
    taken = DomainError(
        ErrorCode.ALREADY_EXISTS, "An API with this identifier exists.", "identifier"
    )
    records.create(db, resource_servers, values, taken, row_id)
    bump(db)
    return row_id


def envelope_row(tenant_id: str, id: str) -> str:
    """What the envelope of a signing secret is bound to."""
    return f"resource_servers/{tenant_id}/{id}"


def signing_secret(db: TenantSession, id: str) -> bytes | None:
    """The secret that an API shares with this server; None where it has none."""
    envelope = db.connection.execute(
        select(resource_servers.c.signing_secret).where(
            resource_servers.c.tenant_id == db.tenant_id, resource_servers.c.id == id
        )
    ).scalar_one_or_none()
    return db.vault.decrypt(envelope, envelope_row(db.tenant_id, id)) if envelope else None


def set_signing_secret(
    db: TenantSession,
    current: ResourceServerFacts,
    secret: bytes,
    expected_revision: int | None = None,
) -> None:
    """Replaces the secret that an API shares with this server."""
    envelope = db.vault.encrypt(secret, envelope_row(db.tenant_id, current.id))
    change(db, current, {"signing_secret": envelope}, expected_revision)


def find(db: TenantSession, id: str) -> ResourceServerFacts | None:
    return records.find(db, resource_servers, ResourceServerFacts, id=id)


def find_by_identifier(db: TenantSession, identifier: str) -> ResourceServerFacts | None:
    return records.find(db, resource_servers, ResourceServerFacts, identifier=identifier)


def find_by_identifiers(
    db: TenantSession, identifiers: Sequence[str]
) -> dict[str, ResourceServerFacts]:
    return records.find_many(db, resource_servers, ResourceServerFacts, "identifier", identifiers)


def detail_types(db: TenantSession, _: str) -> tuple[str, ...]:
    """Every type of authorization details that an API of the tenant has registered, in order."""
    found = db.connection.execute(
        select(resource_servers.c.authorization_details).where(
            resource_servers.c.tenant_id == db.tenant_id,
            cast(resource_servers.c.authorization_details, String) != "[]",
        )
    ).scalars()
    return tuple(sorted({str(one["type"]) for types in found for one in types}))


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
