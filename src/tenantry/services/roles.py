"""Roles: making and changing them, what they permit, and who has them."""

from __future__ import annotations

from collections.abc import Sequence

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import RoleFacts, UserFacts
from tenantry.rules.addresses import Addresses
from tenantry.rules.fields import checked, with_defaults
from tenantry.rules.nouns import MAX_SCOPES, ROLE_FIELDS, scope_token
from tenantry.services.changes import record_change
from tenantry.services.client_grants import scopes_of_audience
from tenantry.services.commands import Patch, Permissions, Values
from tenantry.services.users import require_user
from tenantry.store import records, roles, users
from tenantry.store.unit_of_work import TenantSession

MAX_ROLES = 50


def create(db: TenantSession, command: Values) -> RoleFacts:
    values = with_defaults(ROLE_FIELDS, command)
    row_id = roles.create(db, values)
    record_change(db, "role.created", ("Role", row_id), after=values)
    return _require(db, row_id)


def update(db: TenantSession, patch: Patch) -> RoleFacts:
    current = _require(db, patch.id)
    values = checked(ROLE_FIELDS, patch.values)
    roles.change(db, current, values, patch.expected_revision)
    record_change(db, "role.updated", ("Role", current.id), before=current, after=values)
    return _require(db, current.id)


def delete(db: TenantSession, patch: Patch) -> str:
    """Takes it from its users at once. Returns the id."""
    current = _require(db, patch.id)
    roles.delete(db, current, patch.expected_revision)
    record_change(db, "role.deleted", ("Role", current.id))
    return current.id


def add_permissions(
    db: TenantSession, addresses: Addresses, patch: Patch, given: Permissions
) -> RoleFacts:
    """Permissions that the API defines; those that the role has already stay."""
    current = _require(db, patch.id)
    _require_defined(db, addresses, given)
    roles.change(db, current, {}, patch.expected_revision)
    held = roles.permissions_of_each(db, [current.id]).get(current.id, ())
    _require_room(held, given)
    roles.add_permissions(db, current.id, given.audience, given.scopes)
    _record(db, "role.permissions_added", ("Role", current.id), given)
    return _require(db, current.id)


def remove_permissions(db: TenantSession, patch: Patch, given: Permissions) -> RoleFacts:
    """Ends at once what users may do because of them; those that it has not are ignored."""
    current = _require(db, patch.id)
    _check_scopes(given)
    roles.change(db, current, {}, patch.expected_revision)
    roles.remove_permissions(db, current.id, given.audience, given.scopes)
    _record(db, "role.permissions_removed", ("Role", current.id), given)
    return _require(db, current.id)


def give_roles(db: TenantSession, patch: Patch, role_ids: Sequence[str]) -> UserFacts:
    user = _require_user(db, patch)
    held = {role.id for role in roles.of_each_user(db, [user.id]).get(user.id, ())}
    known = roles.find_by_ids(db, role_ids)
    for index, role_id in enumerate(role_ids):
        if role_id not in known:
            raise not_found("role", "role_ids", str(index))
    if len(held | known.keys()) > MAX_ROLES:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_ROLES} roles.", "role_ids")
    roles.give(db, user.id, tuple(dict.fromkeys(role_ids)))
    _record_roles(db, "user.roles_added", user, tuple(known))
    return user


def take_roles(db: TenantSession, patch: Patch, role_ids: Sequence[str]) -> UserFacts:
    """Ends at once what the user may do because of them; those that it has not are ignored."""
    user = _require_user(db, patch)
    roles.take(db, user.id, role_ids)
    _record_roles(db, "user.roles_removed", user, tuple(role_ids))
    return user


def give_permissions(
    db: TenantSession, addresses: Addresses, patch: Patch, given: Permissions
) -> UserFacts:
    """Permissions that the API defines, without a role."""
    user = _require_user(db, patch)
    _require_defined(db, addresses, given)
    _require_room(users.permissions_of_each(db, [user.id]).get(user.id, ()), given)
    users.give_permissions(db, user.id, given.audience, given.scopes)
    _record(db, "user.permissions_added", ("User", user.id), given, user.id)
    return user


def take_permissions(db: TenantSession, patch: Patch, given: Permissions) -> UserFacts:
    """Takes permissions that were given directly; what roles permit stays."""
    user = _require_user(db, patch)
    _check_scopes(given)
    users.take_permissions(db, user.id, given.audience, given.scopes)
    _record(db, "user.permissions_removed", ("User", user.id), given, user.id)
    return user


def _require(db: TenantSession, id: str) -> RoleFacts:
    role = roles.find(db, id)
    if role is None:
        raise not_found("role")
    return role


def _require_user(db: TenantSession, patch: Patch) -> UserFacts:
    user = require_user(db, patch.id)
    records.require_revision(user, patch.expected_revision)
    return user


def _check_scopes(given: Permissions) -> None:
    if len(given.scopes) > MAX_SCOPES:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_SCOPES} entries.", "scopes")
    for index, scope in enumerate(given.scopes):
        scope_token(scope, ("scopes", str(index)))


def _require_defined(db: TenantSession, addresses: Addresses, given: Permissions) -> None:
    _check_scopes(given)
    defined = set(scopes_of_audience(db, addresses, given.audience))
    for index, scope in enumerate(given.scopes):
        if scope not in defined:
            raise DomainError(
                ErrorCode.INVALID, f"The API does not define {scope}.", "scopes", str(index)
            )


def _require_room(held: Sequence[roles.Permission], given: Permissions) -> None:
    if len({*held, *((given.audience, scope) for scope in given.scopes)}) > MAX_SCOPES:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_SCOPES} permissions.", "scopes")


def _record(
    db: TenantSession,
    event: str,
    target: tuple[str, str],
    given: Permissions,
    user_id: str | None = None,
) -> None:
    after = {"audience": given.audience, "scopes": given.scopes}
    record_change(db, event, target, after=after, user_id=user_id)


def _record_roles(
    db: TenantSession, event: str, user: UserFacts, role_ids: tuple[str, ...]
) -> None:
    record_change(db, event, ("User", user.id), after={"role_ids": role_ids}, user_id=user.id)
