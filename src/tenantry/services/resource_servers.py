"""APIs: registering, changing, removing."""

from __future__ import annotations

from typing import Any

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import ResourceServerFacts, SigningAlgorithm
from tenantry.rules.fields import checked, with_defaults
from tenantry.rules.nouns import RESOURCE_SERVER_FIELDS
from tenantry.services.applications import require_tenant
from tenantry.services.changes import record_change
from tenantry.services.commands import Patch, Values
from tenantry.store import client_grants, resource_servers
from tenantry.store.unit_of_work import TenantSession

_IMMUTABLE = ("identifier", "signing_alg")


def create(db: TenantSession, command: Values) -> ResourceServerFacts:
    values = with_defaults(RESOURCE_SERVER_FIELDS, command)
    alg: SigningAlgorithm = values["signing_alg"]
    if alg not in require_tenant(db).signing_algorithms:
        raise DomainError(
            ErrorCode.NOT_ALLOWED, f"The tenant has not switched on {alg}.", "signing_alg"
        )
    stored: dict[str, Any] = values | {"enforce_policies": False, "is_system": False}
    row_id = resource_servers.create(db, stored)
    record_change(db, "resource_server.created", ("ResourceServer", row_id), after=values)
    return _require(db, row_id)


def update(db: TenantSession, patch: Patch) -> ResourceServerFacts:
    """The identifier and the algorithm never change; of the server's own API nothing does."""
    current = _require(db, patch.id)
    for name in _IMMUTABLE:
        if name in patch.values:
            raise DomainError(ErrorCode.IMMUTABLE, "This never changes.", name)
    _protect_system(current)
    values = checked(RESOURCE_SERVER_FIELDS, patch.values)
    resource_servers.change(db, current, values, patch.expected_revision)
    record_change(
        db,
        "resource_server.updated",
        ("ResourceServer", current.id),
        before=current,
        after=values,
    )
    return _require(db, current.id)


def delete(db: TenantSession, patch: Patch) -> str:
    """Removes the API with its client grants. Returns the id."""
    current = _require(db, patch.id)
    _protect_system(current)
    resource_servers.delete(db, current, patch.expected_revision)
    client_grants.delete_for_audience(db, current.identifier)
    record_change(db, "resource_server.deleted", ("ResourceServer", current.id))
    return current.id


def _require(db: TenantSession, id: str) -> ResourceServerFacts:
    api = resource_servers.find(db, id)
    if api is None:
        raise not_found("API")
    return api


def _protect_system(api: ResourceServerFacts) -> None:
    if api.is_system:
        raise DomainError(
            ErrorCode.NOT_ALLOWED, "The management API cannot be changed or deleted.", "id"
        )
