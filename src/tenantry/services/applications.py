"""Applications: registering, changing, removing, and their secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenantry.core.credentials import CredentialUse
from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import (
    ApplicationFacts,
    TenantFacts,
)
from tenantry.core.ids import new_client_id, new_token
from tenantry.rules import client_metadata
from tenantry.rules.compliance_report import require_met
from tenantry.rules.pushed_requests import require_push_switched_on
from tenantry.rules.subjects import require_listed
from tenantry.services import client_secrets, credentials
from tenantry.services.algorithms import require_algorithm
from tenantry.services.changes import record_change
from tenantry.services.commands import ApplicationPatch, NewApplication, Patch
from tenantry.store import applications, connections, installation
from tenantry.store.unit_of_work import TenantSession

SIGNED_RESPONSES = (
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "authorization_signed_response_alg",
)


@dataclass(frozen=True, slots=True)
class ApplicationWithSecret:
    """The secret is here only where it was made just now."""

    application: ApplicationFacts
    client_secret: str | None = None


def create(
    db: TenantSession,
    command: NewApplication,
    client_id: str | None = None,
    *,
    is_system: bool = False,
    registration_token_digest: str | None = None,
) -> ApplicationWithSecret:
    """A confidential application gets a secret of 256 bits unless one was chosen.

    One that registered itself has a registration access token.
    """
    new = credentials.with_ids(command.credentials)
    ids: dict[str, Any] = {use: tuple(pairs) for use, pairs in new.items()}
    with credentials.named_by(command.values.get("token_endpoint_auth_method")):
        values = client_metadata.new_application({**command.values, **ids})
    require_listed({}, values, command.sector)
    is_dynamic = registration_token_digest is not None
    _require_supported(db, values, may_add=not is_dynamic)
    client_id = client_id or new_client_id()
    values["external_id"] = values["external_id"] or client_id
    kept, secret = client_secrets.first_secret(db, client_id, values, command.client_secret)
    values |= {
        "client_id": client_id,
        "is_system": is_system,
        "is_dynamically_registered": is_dynamic,
        "registration_token_digest": registration_token_digest,
        **kept,
    }
    row_id = applications.create(db, values)
    enabled = (
        _default_connections(db)
        if command.connections is None
        else _connection_ids(db, command.connections)
    )
    applications.set_connections(db, row_id, enabled)
    application = _require(db, row_id)
    with credentials.named_by(application.token_endpoint_auth_method):
        credentials.add_new(db, application, new)
        credentials.require_usable(db, row_id, values)
    record_change(
        db,
        "application.registered" if is_dynamic else "application.created",
        ("Application", row_id),
        after=values,
        client_id=application.client_id,
    )
    return ApplicationWithSecret(application, None if command.client_secret else secret)


def _default_connections(db: TenantSession) -> tuple[str, ...]:
    """Every connection where the tenant's setting is on, else none."""
    tenant = require_tenant(db)
    return connections.all_ids(db) if tenant.enable_application_connections else ()


def update(db: TenantSession, command: ApplicationPatch) -> ApplicationWithSecret:
    """Changes settings; becoming confidential makes a secret where there is none."""
    patch = command.patch
    if any(patch.values.get(use) for use in CredentialUse):
        # Against one that is deleted meanwhile.
        applications.lock(db, patch.id)
    current = _require(db, patch.id)
    names = client_metadata.APPLICATION_FIELDS
    before = {name: getattr(current, name) for name in names}
    method = patch.values.get("token_endpoint_auth_method") or current.token_endpoint_auth_method
    with credentials.named_by(method):
        credentials.require_own(db, current.id, patch.values)
        values = client_metadata.changed_application(before, patch.values)
        credentials.require_usable(db, current.id, values)
    values["external_id"] = values["external_id"] or current.client_id
    require_listed(before, values, command.sector)
    _require_supported(db, values)
    kept, secret = client_secrets.changed_secret(db, current, values, command.client_secret)
    values |= kept
    _protect_system(current)
    applications.change(db, current, values, patch.expected_revision)
    if command.connections is not None:
        applications.set_connections(db, current.id, _connection_ids(db, command.connections))
    record_change(
        db,
        "application.updated",
        ("Application", current.id),
        before=current,
        after=values,
        client_id=current.client_id,
    )
    return ApplicationWithSecret(_require(db, current.id), secret)


def rotate_secret(db: TenantSession, patch: Patch) -> ApplicationWithSecret:
    """Makes a new secret; the old one ends at once."""
    current = _require(db, patch.id)
    method = current.token_endpoint_auth_method
    if not method.uses_secret:
        raise client_secrets.no_secret(method)
    secret = new_token()
    settings = {name: getattr(current, name) for name in client_metadata.APPLICATION_FIELDS}
    values = client_secrets.columns(db, current.client_id, settings, secret)
    applications.change(db, current, values, patch.expected_revision)
    record_change(
        db,
        "application.secret_rotated",
        ("Application", current.id),
        before=current,
        after=values,
        client_id=current.client_id,
    )
    return ApplicationWithSecret(_require(db, current.id), secret)


def delete(db: TenantSession, patch: Patch) -> str:
    """Ends its use at once, with its grants and consents. Returns the id."""
    current = _require(db, patch.id)
    _protect_system(current)
    applications.mark_deleted(db, current, patch.expected_revision)
    record_change(
        db,
        "application.deleted",
        ("Application", current.id),
        client_id=current.client_id,
    )
    return current.id


def _require(db: TenantSession, id: str) -> ApplicationFacts:
    application = applications.find(db, id)
    if application is None:
        raise not_found("application")
    return application


def _protect_system(application: ApplicationFacts) -> None:
    if application.is_system:
        raise DomainError(
            ErrorCode.NOT_ALLOWED, "This application belongs to the server itself.", "id"
        )


def _connection_ids(db: TenantSession, names: Sequence[str]) -> tuple[str, ...]:
    ids = []
    for index, name in enumerate(names):
        connection = connections.find_by_name(db, name)
        if connection is None:
            raise not_found("connection", "connections", str(index))
        ids.append(connection.id)
    return tuple(dict.fromkeys(ids))


def _require_supported(
    db: TenantSession, values: Mapping[str, Any], *, may_add: bool = True
) -> None:
    """What requests of the application would mean must be within the tenant's lists."""
    tenant = require_tenant(db)
    new = [
        name for name in SIGNED_RESPONSES if values[name] not in (None, *tenant.signing_algorithms)
    ]
    for name in new:
        require_algorithm(db, values[name], name, may_add=may_add)
    if new:  # One of them may have been switched on.
        tenant = require_tenant(db)
    require_met(values, tenant)
    require_push_switched_on(tenant, required=values["require_pushed_authorization_requests"])
    supported = tenant.acr_values_supported
    if supported and not set(values["default_acr_values"]) <= set(supported):
        raise DomainError(
            ErrorCode.NOT_ALLOWED, "The tenant supports other values.", "default_acr_values"
        )


def require_tenant(db: TenantSession) -> TenantFacts:
    """The tenant of the session."""
    tenant = installation.find_tenant(db, db.tenant_id)
    if tenant is None:
        raise not_found("tenant")
    return tenant
