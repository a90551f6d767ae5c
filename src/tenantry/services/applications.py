"""Applications: registering, changing, removing, and their secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import ApplicationFacts, TenantFacts
from tenantry.core.ids import new_client_id, new_token
from tenantry.rules import client_metadata
from tenantry.services.changes import record_change
from tenantry.services.commands import ApplicationPatch, NewApplication, Patch
from tenantry.store import applications, connections, installation
from tenantry.store.unit_of_work import TenantSession

SECRET_PURPOSE = "client secret"


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
) -> ApplicationWithSecret:
    """A confidential application gets a secret of 256 bits unless one was chosen."""
    values = client_metadata.new_application(command.values)
    _require_enabled_algorithm(db, values["id_token_signed_response_alg"])
    secret = _first_secret(command, public=values["token_endpoint_auth_method"] == "none")
    values |= {
        "client_id": client_id or new_client_id(),
        "secret_digest": secret and db.vault.digest(secret, SECRET_PURPOSE),
        "is_system": is_system,
    }
    row_id = applications.create(db, values)
    enabled = (
        _default_connections(db)
        if command.connections is None
        else _connection_ids(db, command.connections)
    )
    applications.set_connections(db, row_id, enabled)
    application = _require(db, row_id)
    record_change(
        db,
        "application.created",
        ("Application", row_id),
        after=values,
        client_id=application.client_id,
    )
    return ApplicationWithSecret(application, None if command.client_secret else secret)


def _first_secret(command: NewApplication, *, public: bool) -> str | None:
    if public:
        if command.client_secret is not None:
            raise _no_secret_when_public()
        return None
    if command.client_secret is not None:
        return client_metadata.custom_secret(command.client_secret)
    return new_token()


def _default_connections(db: TenantSession) -> tuple[str, ...]:
    """Every connection where the tenant's setting is on, else none."""
    tenant = require_tenant(db)
    return connections.all_ids(db) if tenant.enable_application_connections else ()


def update(db: TenantSession, command: ApplicationPatch) -> ApplicationWithSecret:
    """Changes settings; becoming confidential makes a secret where there is none."""
    patch = command.patch
    current = _require(db, patch.id)
    names = client_metadata.APPLICATION_FIELDS
    before = {name: getattr(current, name) for name in names}
    values = client_metadata.changed_application(before, patch.values)
    _require_enabled_algorithm(db, values["id_token_signed_response_alg"])
    public = values["token_endpoint_auth_method"] == "none"
    secret: str | None = None
    if command.client_secret is not None:
        if public:
            raise _no_secret_when_public()
        values["secret_digest"] = db.vault.digest(
            client_metadata.custom_secret(command.client_secret), SECRET_PURPOSE
        )
    elif not public and current.secret_digest is None:
        secret = new_token()
        values["secret_digest"] = db.vault.digest(secret, SECRET_PURPOSE)
    elif public:
        values["secret_digest"] = None
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
    if current.is_public:
        raise _no_secret_when_public()
    secret = new_token()
    values = {"secret_digest": db.vault.digest(secret, SECRET_PURPOSE)}
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


def _no_secret_when_public() -> DomainError:
    return DomainError(
        ErrorCode.NOT_ALLOWED, "A public application has no secret.", "client_secret"
    )


def _connection_ids(db: TenantSession, names: Sequence[str]) -> tuple[str, ...]:
    ids = []
    for index, name in enumerate(names):
        connection = connections.find_by_name(db, name)
        if connection is None:
            raise not_found("connection", "connections", str(index))
        ids.append(connection.id)
    return tuple(dict.fromkeys(ids))


def _require_enabled_algorithm(db: TenantSession, alg: object) -> None:
    if alg not in require_tenant(db).signing_algorithms:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            f"The tenant has not switched on {alg}.",
            "id_token_signed_response_alg",
        )


def require_tenant(db: TenantSession) -> TenantFacts:
    """The tenant of the session."""
    tenant = installation.find_tenant(db, db.tenant_id)
    if tenant is None:
        raise not_found("tenant")
    return tenant
