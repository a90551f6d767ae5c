"""APIs: registering, changing, removing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import (
    NewTokenEncryption,
    ResourceServerFacts,
    SigningAlgorithm,
    TokenEncryption,
)
from tenantry.core.ids import new_token
from tenantry.keys.encryption import UnusableKey, import_encryption_key
from tenantry.rules.fields import checked, with_defaults
from tenantry.rules.nouns import RESOURCE_SERVER_FIELDS, settled_api
from tenantry.services.algorithms import require_algorithm
from tenantry.services.changes import record_change
from tenantry.services.commands import Patch, Values
from tenantry.store import client_grants, resource_servers, roles, users
from tenantry.store.unit_of_work import TenantSession

_IMMUTABLE = ("identifier", "signing_alg")


@dataclass(frozen=True, slots=True)
class ResourceServerWithSecret:
    """The signing secret is here only where it was made just now."""

    resource_server: ResourceServerFacts
    signing_secret: str | None = None


def create(db: TenantSession, command: Values) -> ResourceServerWithSecret:
    """An API that signs by HS256 gets a secret of 256 bits."""
    values = settled_api(_imported(with_defaults(RESOURCE_SERVER_FIELDS, command)), _sent(command))
    alg: SigningAlgorithm = values["signing_alg"]
    secret = new_token() if alg.is_symmetric else None
    require_algorithm(db, alg, "signing_alg")
    stored: dict[str, Any] = values | {"is_system": False}
    row_id = resource_servers.create(db, stored, secret.encode() if secret else None)
    record_change(db, "resource_server.created", ("ResourceServer", row_id), after=values)
    return ResourceServerWithSecret(_require(db, row_id), secret)


def update(db: TenantSession, patch: Patch) -> ResourceServerFacts:
    """The identifier and the algorithm never change; of the server's own API nothing does."""
    current = _require(db, patch.id)
    for name in _IMMUTABLE:
        if name in patch.values:
            raise DomainError(ErrorCode.IMMUTABLE, "This never changes.", name)
    _protect_system(current)
    values = _imported(checked(RESOURCE_SERVER_FIELDS, patch.values))
    merged = {name: getattr(current, name) for name in RESOURCE_SERVER_FIELDS} | values
    settled = settled_api(merged, _sent(patch.values))
    values = {
        name: value
        for name, value in settled.items()
        if name in values or value != getattr(current, name)
    }
    resource_servers.change(db, current, values, patch.expected_revision)
    record_change(
        db,
        "resource_server.updated",
        ("ResourceServer", current.id),
        before=current,
        after=values,
    )
    return _require(db, current.id)


def rotate_signing_secret(db: TenantSession, patch: Patch) -> ResourceServerWithSecret:
    """Makes a new secret for HS256; tokens by the old one end at once."""
    current = _require(db, patch.id)
    if not current.signing_alg.is_symmetric:
        raise DomainError(
            ErrorCode.NOT_ALLOWED, f"{current.signing_alg} has no secret of the API's own.", "id"
        )
    secret = new_token()
    resource_servers.set_signing_secret(db, current, secret.encode(), patch.expected_revision)
    record_change(db, "resource_server.secret_rotated", ("ResourceServer", current.id))
    return ResourceServerWithSecret(_require(db, current.id), secret)


def delete(db: TenantSession, patch: Patch) -> str:
    """Removes the API with its client grants and permissions. Returns the id."""
    current = _require(db, patch.id)
    _protect_system(current)
    resource_servers.delete(db, current, patch.expected_revision)
    client_grants.delete_for_audience(db, current.identifier)
    roles.delete_permissions_for_audience(db, current.identifier)
    users.delete_permissions_for_audience(db, current.identifier)
    record_change(db, "resource_server.deleted", ("ResourceServer", current.id))
    return current.id


def _sent(values: Values) -> set[str]:
    return {name for name, value in values.items() if value is not None}


def _imported(values: dict[str, Any]) -> dict[str, Any]:
    """The encryption key read from its PEM, which is not kept."""
    asked: NewTokenEncryption | None = values.get("token_encryption")
    if asked is None:
        return values
    try:
        key = import_encryption_key(asked.pem, asked.alg, asked.kid, asked.name)
    except UnusableKey as error:
        path = ("token_encryption", "encryption_key", "pem")
        raise DomainError(ErrorCode.INVALID, str(error), *path) from None
    return values | {"token_encryption": TokenEncryption(format=asked.format, encryption_key=key)}


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
