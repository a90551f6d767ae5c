"""Client grants: what an application may ask of an API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import ClientGrantFacts, SubjectType
from tenantry.rules.addresses import Addresses
from tenantry.rules.fields import checked, with_defaults
from tenantry.rules.nouns import CLIENT_GRANT_FIELDS
from tenantry.services.apis import find_api_in
from tenantry.services.applications import require_tenant
from tenantry.services.changes import record_change
from tenantry.services.commands import Patch, Values
from tenantry.services.management_api import EVERY_MANAGEMENT_API, scopes_of
from tenantry.store import applications, client_grants
from tenantry.store.unit_of_work import TenantSession

_IMMUTABLE = ("client_id", "audience", "subject_type")


def create(db: TenantSession, addresses: Addresses, command: Values) -> ClientGrantFacts:
    values = with_defaults(CLIENT_GRANT_FIELDS, command)
    application = applications.find_by_client_id(db, values["client_id"])
    if application is None:
        raise not_found("application", "client_id")
    _require_known_scopes(db, addresses, values)
    _require_known_types(db, addresses, values)
    row_id = client_grants.create(db, values)
    record_change(
        db,
        "client_grant.created",
        ("ClientGrant", row_id),
        after=values,
        client_id=application.client_id,
    )
    return _require(db, row_id)


def update(db: TenantSession, addresses: Addresses, patch: Patch) -> ClientGrantFacts:
    current = _require(db, patch.id)
    for name in _IMMUTABLE:
        if name in patch.values:
            raise DomainError(ErrorCode.IMMUTABLE, "This never changes.", name)
    values = checked(CLIENT_GRANT_FIELDS, patch.values)
    merged = {name: values.get(name, getattr(current, name)) for name in CLIENT_GRANT_FIELDS}
    _require_known_scopes(db, addresses, merged)
    if "authorization_details_types" in values:
        _require_known_types(db, addresses, merged)
    client_grants.change(db, current, values, patch.expected_revision)
    record_change(
        db,
        "client_grant.updated",
        ("ClientGrant", current.id),
        before=current,
        after=values,
        client_id=current.client_id,
    )
    return _require(db, current.id)


def delete(db: TenantSession, patch: Patch) -> str:
    """Tokens that were issued stay valid for APIs; ours asks again at every request."""
    current = _require(db, patch.id)
    client_grants.delete(db, current, patch.expected_revision)
    record_change(
        db, "client_grant.deleted", ("ClientGrant", current.id), client_id=current.client_id
    )
    return current.id


def _require(db: TenantSession, id: str) -> ClientGrantFacts:
    grant = client_grants.find(db, id)
    if grant is None:
        raise not_found("client grant")
    return grant


def _require_known_scopes(db: TenantSession, addresses: Addresses, values: dict[str, Any]) -> None:
    known = scopes_of_audience(db, addresses, values["audience"])
    unknown = [scope for scope in values["scopes"] if scope not in known]
    if unknown:
        raise DomainError(ErrorCode.INVALID, f"The API does not define {unknown[0]}.", "scopes")


def _require_known_types(db: TenantSession, addresses: Addresses, values: dict[str, Any]) -> None:
    types, name = values["authorization_details_types"], "authorization_details_types"
    if not types:
        return
    if values["subject_type"] is not SubjectType.USER:
        raise DomainError(
            ErrorCode.NOT_ALLOWED, "Only users allow authorization details to applications.", name
        )
    api = find_api_in(db, addresses, values["audience"])
    unknown = [one for one in types if api is None or one not in api.detail_types]
    if unknown:
        raise DomainError(ErrorCode.INVALID, f"The API does not define {unknown[0]}.", name)


def scopes_of_audience(db: TenantSession, addresses: Addresses, audience: str) -> Iterable[str]:
    """What an audience defines; `*` at the root is every management API."""
    if audience == EVERY_MANAGEMENT_API:
        if require_tenant(db).is_root:
            return [scope.value for scope in scopes_of(is_root=True)]
        raise not_found("API", "audience")
    api = find_api_in(db, addresses, audience)
    if api is None:
        raise not_found("API", "audience")
    return api.scope_values
