"""Members of organizations, and the roles that they have there."""

from __future__ import annotations

from collections.abc import Sequence

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.organizations import OrganizationFacts, OrganizationMemberFacts
from tenantry.rules.organizations import MAX_ROLES
from tenantry.services.changes import record_change
from tenantry.services.commands import Patch
from tenantry.services.organizations import require, require_few
from tenantry.store import organization_members, records, roles, users
from tenantry.store.unit_of_work import TenantSession


def add(db: TenantSession, patch: Patch, user_ids: Sequence[str]) -> OrganizationFacts:
    """Those who are members already stay."""
    organization = _require(db, patch)
    require_few(user_ids, "user_ids")
    known = users.find_by_ids(db, user_ids)
    for index, user_id in enumerate(user_ids):
        if user_id not in known:
            raise not_found("user", "user_ids", str(index))
    organization_members.add(db, organization.id, tuple(known))
    _record(db, "organization.members_added", organization, tuple(known))
    return organization


def remove(db: TenantSession, patch: Patch, user_ids: Sequence[str]) -> OrganizationFacts:
    """They get no further token for it; those who are not members are ignored."""
    organization = _require(db, patch)
    require_few(user_ids, "user_ids")
    organization_members.remove(db, organization.id, user_ids)
    _record(db, "organization.members_removed", organization, tuple(user_ids))
    return organization


def give_roles(
    db: TenantSession, patch: Patch, user_id: str, role_ids: Sequence[str]
) -> OrganizationMemberFacts:
    organization, member = _require_member(db, patch, user_id)
    held = organization_members.roles_of_each(db, [member.id]).get(member.id, ())
    known = roles.find_by_ids(db, role_ids)
    for index, role_id in enumerate(role_ids):
        if role_id not in known:
            raise not_found("role", "role_ids", str(index))
    if len({role.id for role in held} | known.keys()) > MAX_ROLES:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_ROLES} roles.", "role_ids")
    organization_members.give_roles(db, organization.id, user_id, tuple(known))
    _record_roles(db, "organization.member_roles_added", organization, user_id, tuple(known))
    return member


def take_roles(
    db: TenantSession, patch: Patch, user_id: str, role_ids: Sequence[str]
) -> OrganizationMemberFacts:
    """Ends at once what the member may do because of them; others are ignored."""
    organization, member = _require_member(db, patch, user_id)
    require_few(role_ids, "role_ids")
    organization_members.take_roles(db, organization.id, user_id, role_ids)
    taken = tuple(role_ids)
    _record_roles(db, "organization.member_roles_removed", organization, user_id, taken)
    return member


def _require(db: TenantSession, patch: Patch) -> OrganizationFacts:
    organization = require(db, patch.id)
    records.require_revision(organization, patch.expected_revision)
    return organization


def _require_member(
    db: TenantSession, patch: Patch, user_id: str
) -> tuple[OrganizationFacts, OrganizationMemberFacts]:
    organization = _require(db, patch)
    member = organization_members.find(db, organization.id, user_id)
    if member is None:
        raise not_found("member", "user_id")
    return organization, member


def _record(
    db: TenantSession, event: str, organization: OrganizationFacts, user_ids: tuple[str, ...]
) -> None:
    target = ("Organization", organization.id)
    only = user_ids[0] if len(user_ids) == 1 else None
    record_change(db, event, target, after={"user_ids": user_ids}, user_id=only)


def _record_roles(
    db: TenantSession,
    event: str,
    organization: OrganizationFacts,
    user_id: str,
    role_ids: tuple[str, ...],
) -> None:
    target = ("Organization", organization.id)
    record_change(db, event, target, after={"role_ids": role_ids}, user_id=user_id)
