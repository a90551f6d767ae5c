"""The tenant's own push service: the secret by which it knows who calls."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.errors import not_found
from tenantry.core.facts import TenantFacts
from tenantry.keys.vault import Vault
from tenantry.services import applications
from tenantry.services.changes import record_change
from tenantry.services.commands import Patch
from tenantry.services.log_streams import new_secret
from tenantry.store import installation
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class TenantWithSecret:
    """A tenant with the secret that was made for it, which is shown now and never again."""

    tenant: TenantFacts
    secret: str


def _row(tenant_id: str) -> str:
    return f"push service {tenant_id}"


def secret_of(vault: Vault, tenant: TenantFacts) -> str | None:
    if tenant.push_secret_envelope is None:
        return None
    return vault.decrypt(tenant.push_secret_envelope, _row(tenant.id)).decode()


def rotate_secret(db: TenantSession, patch: Patch) -> TenantWithSecret:
    """Signs with a new secret from now on. `patch.id` is the tenant of the session."""
    current = applications.require_tenant(db)
    if patch.id != current.id:
        raise not_found("tenant")
    secret = new_secret()
    envelope = db.vault.encrypt(secret.encode(), _row(current.id))
    values = {"push_secret_envelope": envelope}
    installation.change_tenant(db, current, values, patch.expected_revision)
    record_change(db, "tenant.push_secret_rotated", ("Tenant", current.id))
    return TenantWithSecret(applications.require_tenant(db), secret)
