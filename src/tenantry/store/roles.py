"""Roles: what they permit, and who has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Subquery, select
from sqlalchemy import delete as sql_delete
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import RoleFacts, UserFacts
from tenantry.store import pages, records
from tenantry.store.pages import Page, PageRequest
from tenantry.store.rows import to_facts
from tenantry.store.tables import (
    organization_member_roles,
    role_permissions,
    roles,
    user_roles,
    users,
)
from tenantry.store.unit_of_work import TenantSession

Permission = tuple[str, str]
"""An audience and a scope."""


def _taken() -> DomainError:
    return DomainError(ErrorCode.ALREADY_EXISTS, "A role has this name.", "name")


def create(db: TenantSession, values: Mapping[str, Any]) -> str:
    return records.create(db, roles, values, _taken())


def find(db: TenantSession, id: str, *, for_update: bool = False) -> RoleFacts | None:
    return records.find(db, roles, RoleFacts, for_update=for_update, id=id)


def find_by_ids(db: TenantSession, ids: Sequence[str]) -> dict[str, RoleFacts]:
    return records.find_many(db, roles, RoleFacts, "id", ids)


def ids_of_names(db: TenantSession, names: Sequence[str]) -> dict[str, str]:
    rows = db.connection.execute(
        select(roles.c.name, roles.c.id).where(
            roles.c.tenant_id == db.tenant_id, roles.c.name.in_(names)
        )
    )
    return {row.name: row.id for row in rows}


def change(
    db: TenantSession,
    current: RoleFacts,
    values: Mapping[str, Any],
    expected_revision: int | None = None,
) -> None:
    records.change(db, roles, current, values, expected_revision, _taken())


def delete(db: TenantSession, current: RoleFacts, expected_revision: int | None = None) -> None:
    """Takes it from its users at once."""
    records.remove(db, roles, current, expected_revision)
    for table in (role_permissions, user_roles, organization_member_roles):
        db.connection.execute(
            sql_delete(table).where(
                table.c.tenant_id == db.tenant_id, table.c.role_id == current.id
            )
        )


def page(
    db: TenantSession, request: PageRequest, name_contains: str | None = None
) -> Page[RoleFacts]:
    return pages.fetch_page(db, roles, _conditions(db, name_contains), request, RoleFacts)


def count(db: TenantSession, name_contains: str | None = None) -> int:
    return pages.count(db, roles, _conditions(db, name_contains))


def _conditions(db: TenantSession, name_contains: str | None) -> list[Any]:
    conditions: list[Any] = [roles.c.tenant_id == db.tenant_id]
    if name_contains:
        conditions.append(roles.c.name.icontains(name_contains, autoescape=True))
    return conditions


def add_permissions(db: TenantSession, role_id: str, audience: str, scopes: Sequence[str]) -> None:
    """Adds permissions that the role does not have yet."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    key = {"tenant_id": db.tenant_id, "role_id": role_id, "audience": audience}
    if scopes:
        db.connection.execute(
            insert(role_permissions).on_conflict_do_nothing(),
            [key | {"scope": scope} for scope in scopes],
        )


def remove_permissions(
    db: TenantSession, role_id: str, audience: str, scopes: Sequence[str]
) -> None:
    db.connection.execute(
        sql_delete(role_permissions).where(
            role_permissions.c.tenant_id == db.tenant_id,
            role_permissions.c.role_id == role_id,
            role_permissions.c.audience == audience,
            role_permissions.c.scope.in_(scopes),
        )
    )


def delete_permissions_for_audience(db: TenantSession, audience: str) -> None:
    db.connection.execute(
        sql_delete(role_permissions).where(
            role_permissions.c.tenant_id == db.tenant_id,
            role_permissions.c.audience == audience,
        )
    )


def permissions_of_each(
    db: TenantSession, role_ids: Sequence[str]
) -> dict[str, tuple[Permission, ...]]:
    """What many roles permit, in order, by one statement."""
    rows = db.connection.execute(
        select(role_permissions.c.role_id, role_permissions.c.audience, role_permissions.c.scope)
        .where(
            role_permissions.c.tenant_id == db.tenant_id,
            role_permissions.c.role_id.in_(role_ids),
        )
        .order_by(role_permissions.c.audience, role_permissions.c.scope)
    )
    found: dict[str, tuple[Permission, ...]] = {}
    for role_id, audience, scope in rows:
        found[role_id] = (*found.get(role_id, ()), (audience, scope))
    return found


def permissions_of_all(db: TenantSession) -> dict[str, tuple[Permission, ...]]:
    """What every role permits, by one statement."""
    rows = db.connection.execute(
        select(
            role_permissions.c.role_id, role_permissions.c.audience, role_permissions.c.scope
        ).where(role_permissions.c.tenant_id == db.tenant_id)
    )
    found: dict[str, list[Permission]] = {}
    for role_id, audience, scope in rows:
        found.setdefault(role_id, []).append((audience, scope))
    return {role_id: tuple(sorted(permitted)) for role_id, permitted in found.items()}


def permissions_of_user(db: TenantSession, user_id: str, *audiences: str) -> tuple[str, ...]:
    """What a user may do at any of these audiences because of roles."""
    rows = db.connection.execute(
        select(role_permissions.c.scope)
        .join(
            user_roles,
            (user_roles.c.tenant_id == role_permissions.c.tenant_id)
            & (user_roles.c.role_id == role_permissions.c.role_id),
        )
        .where(
            role_permissions.c.tenant_id == db.tenant_id,
            role_permissions.c.audience.in_(audiences),
            user_roles.c.user_id == user_id,
        )
        .distinct()
        .order_by(role_permissions.c.scope)
    )
    return tuple(rows.scalars())


def give(db: TenantSession, user_id: str, role_ids: Sequence[str]) -> None:
    """Gives roles that the user does not have yet."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    if role_ids:
        db.connection.execute(
            insert(user_roles).on_conflict_do_nothing(),
            [
                {"tenant_id": db.tenant_id, "user_id": user_id, "role_id": role_id}
                for role_id in role_ids
            ],
        )


def take(db: TenantSession, user_id: str, role_ids: Sequence[str]) -> None:
    db.connection.execute(
        sql_delete(user_roles).where(
            user_roles.c.tenant_id == db.tenant_id,
            user_roles.c.user_id == user_id,
            user_roles.c.role_id.in_(role_ids),
        )
    )


def take_all(db: TenantSession, user_id: str) -> None:
    db.connection.execute(
        sql_delete(user_roles).where(
            user_roles.c.tenant_id == db.tenant_id, user_roles.c.user_id == user_id
        )
    )


def of_each_user(db: TenantSession, user_ids: Sequence[str]) -> dict[str, tuple[RoleFacts, ...]]:
    """The roles of many users, by name, by one statement."""
    rows = db.connection.execute(
        select(roles, user_roles.c.user_id)
        .join(
            user_roles,
            (user_roles.c.tenant_id == roles.c.tenant_id) & (user_roles.c.role_id == roles.c.id),
        )
        .where(roles.c.tenant_id == db.tenant_id, user_roles.c.user_id.in_(user_ids))
        .order_by(roles.c.name)
    ).mappings()
    found: dict[str, tuple[RoleFacts, ...]] = {}
    for row in rows:
        found[row["user_id"]] = (*found.get(row["user_id"], ()), to_facts(RoleFacts, row))
    return found


def users_of_each(
    db: TenantSession, role_ids: Sequence[str], request: PageRequest
) -> dict[str, Page[UserFacts]]:
    """The first users of many roles, by one statement."""
    return pages.first_of_each(db, _holders(db, role_ids), [], "role_id", request, UserFacts)


def count_users_of_each(db: TenantSession, role_ids: Sequence[str]) -> dict[str, int]:
    """How many users each role has, by one statement."""
    return pages.count_of_each(db, _holders(db, role_ids), [], "role_id")


def _holders(db: TenantSession, role_ids: Sequence[str]) -> Subquery:
    return (
        select(users, user_roles.c.role_id)
        .join(
            user_roles,
            (user_roles.c.tenant_id == users.c.tenant_id) & (user_roles.c.user_id == users.c.id),
        )
        .where(users.c.tenant_id == db.tenant_id, user_roles.c.role_id.in_(role_ids))
        .subquery()
    )
