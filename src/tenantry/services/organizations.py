"""Organizations: making and changing them, and the connections that sign in to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import ClientGrantFacts
from tenantry.core.organizations import OrganizationFacts
from tenantry.rules.fields import checked, with_defaults
from tenantry.rules.metadata import merged_pairs
from tenantry.rules.organizations import ORGANIZATION_FIELDS
from tenantry.services.changes import record_change
from tenantry.services.commands import Patch, Values
from tenantry.store import client_grants, connections, organization_grants, organizations, records
from tenantry.store.unit_of_work import TenantSession

MAX_CONNECTIONS = 50
MAX_AT_ONCE = 100
_METADATA = "organization_metadata"


def create(db: TenantSession, command: Values) -> OrganizationFacts:
    values = with_defaults(ORGANIZATION_FIELDS, command)
    values[_METADATA] = merged_pairs({}, values[_METADATA], _METADATA)
    row_id = organizations.create(db, values)
    record_change(db, "organization.created", ("Organization", row_id), after=values)
    return require(db, row_id)


def update(db: TenantSession, patch: Patch) -> OrganizationFacts:
    current = require(db, patch.id)
    values = checked(ORGANIZATION_FIELDS, patch.values)
    if patch.values.get(_METADATA) is not None:
        values[_METADATA] = merged_pairs(
            current.organization_metadata, values[_METADATA], _METADATA
        )
    organizations.change(db, current, values, patch.expected_revision)
    record_change(
        db, "organization.updated", ("Organization", current.id), before=current, after=values
    )
    return require(db, current.id)


def delete(db: TenantSession, patch: Patch) -> str:
    """With its members, invitations and connections. Returns the id."""
    current = require(db, patch.id)
    organizations.delete(db, current, patch.expected_revision)
    record_change(db, "organization.deleted", ("Organization", current.id))
    return current.id


def set_connection(
    db: TenantSession, patch: Patch, name: str, *, assign_membership_on_login: bool
) -> OrganizationFacts:
    """Lets the users of a connection sign in to it, or changes how they do."""
    current = require(db, patch.id)
    connection_id = _connection_id(db, name)
    enabled = organizations.connections_of_each(db, [current.id]).get(current.id, ())
    known = {each.connection_id for each in enabled}
    if len(known | {connection_id}) > MAX_CONNECTIONS:
        raise DomainError(
            ErrorCode.TOO_MANY, f"At most {MAX_CONNECTIONS} connections.", "connection"
        )
    _change(db, current, patch)
    organizations.enable_connection(
        db, current.id, connection_id, assign_membership_on_login=assign_membership_on_login
    )
    after = {"connection": name, "assign_membership_on_login": assign_membership_on_login}
    _record(db, "organization.connection_set", current, after)
    return require(db, current.id)


def remove_connection(db: TenantSession, patch: Patch, name: str) -> OrganizationFacts:
    """Its users cannot sign in to the organization any more; they stay members."""
    current = require(db, patch.id)
    connection_id = _connection_id(db, name)
    _change(db, current, patch)
    organizations.disable_connection(db, current.id, connection_id)
    _record(db, "organization.connection_removed", current, {"connection": name})
    return require(db, current.id)


def cover(db: TenantSession, patch: Patch, organization_ids: Sequence[str]) -> ClientGrantFacts:
    """Organizations that an application may ask for under a client grant."""
    grant = _require_grant(db, patch)
    require_few(organization_ids, "organization_ids")
    known = organizations.find_by_ids(db, organization_ids)
    for index, id_ in enumerate(organization_ids):
        if id_ not in known:
            raise not_found("organization", "organization_ids", str(index))
    organization_grants.add(db, grant.id, tuple(known))
    _record_grant(db, "client_grant.organizations_added", grant, tuple(known))
    return _require_grant(db, Patch(grant.id))


def uncover(db: TenantSession, patch: Patch, organization_ids: Sequence[str]) -> ClientGrantFacts:
    """Those that the grant does not cover are ignored."""
    grant = _require_grant(db, patch)
    require_few(organization_ids, "organization_ids")
    organization_grants.remove(db, grant.id, organization_ids)
    _record_grant(db, "client_grant.organizations_removed", grant, tuple(organization_ids))
    return _require_grant(db, Patch(grant.id))


def require(db: TenantSession, id: str) -> OrganizationFacts:
    organization = organizations.find(db, id)
    if organization is None:
        raise not_found("organization")
    return organization


def require_few(ids: Sequence[str], name: str) -> None:
    if len(ids) > MAX_AT_ONCE:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_AT_ONCE} entries.", name)


def _change(db: TenantSession, current: OrganizationFacts, patch: Patch) -> None:
    """A change of what belongs to it counts as a change of the organization."""
    organizations.change(db, current, {}, patch.expected_revision)


def _connection_id(db: TenantSession, name: str) -> str:
    connection = connections.find_by_name(db, name)
    if connection is None:
        raise not_found("connection", "connection")
    return connection.id


def _require_grant(db: TenantSession, patch: Patch) -> ClientGrantFacts:
    grant = client_grants.find(db, patch.id)
    if grant is None:
        raise not_found("client grant")
    records.require_revision(grant, patch.expected_revision)
    return grant


def _record(db: TenantSession, event: str, current: OrganizationFacts, after: Any) -> None:
    record_change(db, event, ("Organization", current.id), after=after)


def _record_grant(
    db: TenantSession, event: str, grant: ClientGrantFacts, ids: tuple[str, ...]
) -> None:
    after = {"organization_ids": ids}
    target = ("ClientGrant", grant.id)
    record_change(db, event, target, after=after, client_id=grant.client_id)
