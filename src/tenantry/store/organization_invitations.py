"""Invitations to organizations. A ticket counts once; it is kept as its keyed digest."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete as sql_delete
from sqlalchemy import insert, select, update

from tenantry.core.organizations import OrganizationInvitationFacts
from tenantry.store import pages
from tenantry.store.pages import Page, PageRequest
from tenantry.store.records import find_row
from tenantry.store.rows import to_facts, to_row
from tenantry.store.tables import organization_invitations
from tenantry.store.unit_of_work import TenantSession


def create(db: TenantSession, facts: OrganizationInvitationFacts, ticket_digest: str) -> None:
    names = OrganizationInvitationFacts.__dataclass_fields__
    values = to_row({name: getattr(facts, name) for name in names})
    db.connection.execute(
        insert(organization_invitations).values(
            **values, tenant_id=db.tenant_id, ticket_digest=ticket_digest
        )
    )


def find(db: TenantSession, id: str) -> OrganizationInvitationFacts | None:
    row = find_row(db, organization_invitations, id=id)
    return to_facts(OrganizationInvitationFacts, row) if row else None


def find_by_ticket(db: TenantSession, digests: Sequence[str]) -> OrganizationInvitationFacts | None:
    row = (
        db.connection.execute(
            select(organization_invitations).where(
                organization_invitations.c.tenant_id == db.tenant_id,
                organization_invitations.c.ticket_digest.in_(digests),
            )
        )
        .mappings()
        .one_or_none()
    )
    return to_facts(OrganizationInvitationFacts, row) if row else None


def claim(db: TenantSession, id: str, user_id: str) -> bool:
    """Accepts an invitation. Of any number of contenders one gets True."""
    return bool(
        db.connection.execute(
            update(organization_invitations)
            .where(
                organization_invitations.c.tenant_id == db.tenant_id,
                organization_invitations.c.id == id,
                organization_invitations.c.accepted_at.is_(None),
                organization_invitations.c.expires_at > db.now,
            )
            .values(accepted_at=db.now, accepted_by=user_id)
        ).rowcount
    )


def delete(db: TenantSession, id: str) -> bool:
    """Whether there was one until now."""
    return bool(
        db.connection.execute(
            sql_delete(organization_invitations).where(
                organization_invitations.c.tenant_id == db.tenant_id,
                organization_invitations.c.id == id,
            )
        ).rowcount
    )


def first_of_each_organization(
    db: TenantSession, organization_ids: Sequence[str], request: PageRequest
) -> dict[str, Page[OrganizationInvitationFacts]]:
    """The first invitations of many organizations, by one statement."""
    table = organization_invitations
    conditions = [
        table.c.tenant_id == db.tenant_id,
        table.c.organization_id.in_(organization_ids),
    ]
    return pages.first_of_each(
        db, table, conditions, "organization_id", request, OrganizationInvitationFacts
    )


def count_of_each_organization(
    db: TenantSession, organization_ids: Sequence[str]
) -> dict[str, int]:
    table = organization_invitations
    conditions = [
        table.c.tenant_id == db.tenant_id,
        table.c.organization_id.in_(organization_ids),
    ]
    return pages.count_of_each(db, table, conditions, "organization_id")
