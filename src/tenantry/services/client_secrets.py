"""Secrets of applications: a digest of each, and the secret itself only where it signs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ApplicationFacts, TokenEndpointAuthMethod
from tenantry.core.ids import new_token
from tenantry.keys.vault import Vault
from tenantry.rules.client_keys import needs_readable_secret
from tenantry.rules.client_metadata import custom_secret
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens.verify import ApplicationSecret

SECRET_PURPOSE = "client secret"
_NONE = TokenEndpointAuthMethod.NONE


def envelope_row(tenant_id: str, client_id: str) -> str:
    """What the envelope of a secret is bound to."""
    return f"applications/{tenant_id}/{client_id}"


def readable_secret(vault: Vault, tenant_id: str, application: ApplicationFacts) -> bytes:
    """The secret that signs; LookupError where it is only hashed."""
    if application.secret_envelope is None:
        raise LookupError(f"the secret of {application.client_id} is not readable")
    return vault.decrypt(
        application.secret_envelope, envelope_row(tenant_id, application.client_id)
    )


def signing_secret(vault: Vault, tenant_id: str, application: ApplicationFacts) -> bytes | None:
    """What signs the application's ID tokens by HS256; None where a key of the tenant does."""
    if not application.id_token_signed_response_alg.is_symmetric:
        return None
    return readable_secret(vault, tenant_id, application)


def shared_secret(
    vault: Vault, tenant_id: str, application: ApplicationFacts | None
) -> ApplicationSecret | None:
    """The same, to verify such an ID token."""
    secret = signing_secret(vault, tenant_id, application) if application else None
    return ApplicationSecret(application.client_id, secret) if application and secret else None


def first_secret(
    db: TenantSession, client_id: str, values: Mapping[str, Any], chosen: str | None
) -> tuple[dict[str, Any], str | None]:
    """The columns of a new application, and the secret: `chosen`, or one of 256 bits."""
    if not values["token_endpoint_auth_method"].uses_secret:
        require_no_secret(values["token_endpoint_auth_method"], chosen)
        return {"secret_digest": None, "secret_envelope": None}, None
    secret = new_token() if chosen is None else custom_secret(chosen)
    return columns(db, client_id, values, secret), secret


def changed_secret(
    db: TenantSession, current: ApplicationFacts, values: Mapping[str, Any], chosen: str | None
) -> tuple[dict[str, Any], str | None]:
    """The columns after a change of settings, and the secret if one was made just now."""
    method = values["token_endpoint_auth_method"]
    if not method.uses_secret:
        require_no_secret(method, chosen)
        # With keys and certificates the digest stays, hidden, and counts again if the method is
        # set back.
        kept = None if method is _NONE else current.secret_digest
        return {"secret_digest": kept, "secret_envelope": None}, None
    if chosen is not None:
        return columns(db, current.client_id, values, custom_secret(chosen)), None
    if current.secret_digest is None:
        secret = new_token()
        return columns(db, current.client_id, values, secret), secret
    if not needs_readable_secret(values):
        return {"secret_envelope": None}, None
    if current.secret_envelope is None:
        raise DomainError(
            ErrorCode.REQUIRED,
            "The secret must sign from now on, but only its hash is kept: send a new clientSecret.",
            "client_secret",
        )
    return {}, None


def columns(
    db: TenantSession, client_id: str, values: Mapping[str, Any], secret: str
) -> dict[str, Any]:
    envelope = None
    if needs_readable_secret(values):
        envelope = db.vault.encrypt(secret.encode(), envelope_row(db.tenant_id, client_id))
    return {"secret_digest": db.vault.digest(secret, SECRET_PURPOSE), "secret_envelope": envelope}


def require_no_secret(method: TokenEndpointAuthMethod, chosen: str | None) -> None:
    if chosen is not None:
        raise no_secret(method)


def no_secret(method: TokenEndpointAuthMethod) -> DomainError:
    kind = "A public application" if method is _NONE else f"An application with {method.value}"
    return DomainError(ErrorCode.NOT_ALLOWED, f"{kind} has no secret.", "client_secret")
