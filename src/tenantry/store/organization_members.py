"""Who belongs to organizations, and the roles that members have there. Never cached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.facts import RoleFacts
from tenantry.core.ids import new_id
from tenantry.core.organizations import OrganizationMemberFacts
from tenantry.store import pages
from tenantry.store.pages import Page, PageRequest
from tenantry.store.records import find_row
from tenantry.store.rows import to_facts
from tenantry.store.tables import (
    organization_member_roles,
    organization_members,
    organizations,
    role_permissions,
    roles,
)
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class Membership:
    """That a user belongs to an organization, which is told by its name."""

    member_id: str
    organization: str


def add(db: TenantSession, organization_id: str, user_ids: Sequence[str]) -> int:
    """Adds users that are not members yet. Returns how many."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    return sum(
        db.connection.execute(
            insert(organization_members)
            .values(
                tenant_id=db.tenant_id,
                id=new_id(),
                organization_id=organization_id,
                user_id=user_id,
                created_at=db.now,
            )
            .on_conflict_do_nothing()
        ).rowcount
        for user_id in user_ids
    )


def remove(db: TenantSession, organization_id: str, user_ids: Sequence[str]) -> None:
    """Removes members with their roles there."""
    for table in (organization_member_roles, organization_members):
        db.connection.execute(
            sql_delete(table).where(
                table.c.tenant_id == db.tenant_id,
                table.c.organization_id == organization_id,
                table.c.user_id.in_(user_ids),
            )
        )


def remove_everywhere(db: TenantSession, user_id: str) -> None:
    """Takes a user out of every organization."""
    for table in (organization_member_roles, organization_members):
        db.connection.execute(
            sql_delete(table).where(table.c.tenant_id == db.tenant_id, table.c.user_id == user_id)
        )


def find(db: TenantSession, organization_id: str, user_id: str) -> OrganizationMemberFacts | None:
    row = find_row(db, organization_members, organization_id=organization_id, user_id=user_id)
    return to_facts(OrganizationMemberFacts, row) if row else None


def of_each_user(db: TenantSession, user_ids: Sequence[str]) -> dict[str, tuple[Membership, ...]]:
    """Every organization of many users, by name, by one statement."""
    members = organization_members
    rows = db.connection.execute(
        select(members.c.user_id, members.c.id, organizations.c.name)
        .join(
            organizations,
            (organizations.c.tenant_id == members.c.tenant_id)
            & (organizations.c.id == members.c.organization_id),
        )
        .where(members.c.tenant_id == db.tenant_id, members.c.user_id.in_(user_ids))
        .order_by(organizations.c.name)
    )
    found: dict[str, tuple[Membership, ...]] = {}
    for user_id, member_id, name in rows:
        found[user_id] = (*found.get(user_id, ()), Membership(member_id, name))
    return found


def first_of_each_organization(
    db: TenantSession, organization_ids: Sequence[str], request: PageRequest
) -> dict[str, Page[OrganizationMemberFacts]]:
    """The first members of many organizations, by one statement."""
    conditions = [
        organization_members.c.tenant_id == db.tenant_id,
        organization_members.c.organization_id.in_(organization_ids),
    ]
    return pages.first_of_each(
        db, organization_members, conditions, "organization_id", request, OrganizationMemberFacts
    )


def count_of_each_organization(
    db: TenantSession, organization_ids: Sequence[str]
) -> dict[str, int]:
    """How many members each organization has, by one statement."""
    conditions = [
        organization_members.c.tenant_id == db.tenant_id,
        organization_members.c.organization_id.in_(organization_ids),
    ]
    return pages.count_of_each(db, organization_members, conditions, "organization_id")


def give_roles(
    db: TenantSession, organization_id: str, user_id: str, role_ids: Sequence[str]
) -> None:
    """Gives roles that the member does not have yet in the organization."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    key = {"tenant_id": db.tenant_id, "organization_id": organization_id, "user_id": user_id}
    if role_ids:
        db.connection.execute(
            insert(organization_member_roles).on_conflict_do_nothing(),
            [key | {"role_id": role_id} for role_id in role_ids],
        )


def take_roles(
    db: TenantSession, organization_id: str, user_id: str, role_ids: Sequence[str]
) -> None:
    db.connection.execute(
        sql_delete(organization_member_roles).where(
            organization_member_roles.c.tenant_id == db.tenant_id,
            organization_member_roles.c.organization_id == organization_id,
            organization_member_roles.c.user_id == user_id,
            organization_member_roles.c.role_id.in_(role_ids),
        )
    )


def roles_of_each(db: TenantSession, member_ids: Sequence[str]) -> dict[str, tuple[RoleFacts, ...]]:
    """The roles of many members in their organizations, by name, by one statement."""
    held, members = organization_member_roles, organization_members
    rows = db.connection.execute(
        select(roles, members.c.id.label("member_id"))
        .join(held, (held.c.tenant_id == roles.c.tenant_id) & (held.c.role_id == roles.c.id))
        .join(
            members,
            (members.c.tenant_id == held.c.tenant_id)
            & (members.c.organization_id == held.c.organization_id)
            & (members.c.user_id == held.c.user_id),
        )
        .where(roles.c.tenant_id == db.tenant_id, members.c.id.in_(member_ids))
        .order_by(roles.c.name)
    ).mappings()
    found: dict[str, tuple[RoleFacts, ...]] = {}
    for row in rows:
        found[row["member_id"]] = (*found.get(row["member_id"], ()), to_facts(RoleFacts, row))
    return found


def permissions(
    db: TenantSession, organization_id: str, user_id: str, *audiences: str
) -> tuple[str, ...]:
    """What a member may do at any of these audiences because of roles in the organization."""
    held = organization_member_roles
    rows = db.connection.execute(
        select(role_permissions.c.scope)
        .join(
            held,
            (held.c.tenant_id == role_permissions.c.tenant_id)
            & (held.c.role_id == role_permissions.c.role_id),
        )
        .where(
            role_permissions.c.tenant_id == db.tenant_id,
            role_permissions.c.audience.in_(audiences),
            held.c.organization_id == organization_id,
            held.c.user_id == user_id,
        )
        .distinct()
        .order_by(role_permissions.c.scope)
    )
    return tuple(rows.scalars())
