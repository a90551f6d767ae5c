"""Which algorithms the tenant signs with, and who may add to them."""

from __future__ import annotations

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import SigningAlgorithm
from tenantry.services.changes import record_change
from tenantry.store import installation
from tenantry.store.unit_of_work import TenantSession


def require_algorithm(
    db: TenantSession, alg: SigningAlgorithm | None, field: str, *, may_add: bool = True
) -> None:
    """PS256 is switched on by the first that chooses it: its keys are RSA, which all can read."""
    if alg is None or alg.is_symmetric:  # Signed with another's secret, not with the tenant's key.
        return
    tenant = installation.find_tenant(db, db.tenant_id)
    if tenant is None:
        raise not_found("tenant")
    if alg in tenant.signing_algorithms:
        return
    if alg is not SigningAlgorithm.PS256 or not may_add:
        raise DomainError(ErrorCode.NOT_ALLOWED, f"The tenant has not switched on {alg}.", field)
    values = {"signing_algorithms": (*tenant.signing_algorithms, alg)}
    installation.change_tenant(db, tenant, values)
    record_change(db, "tenant.updated", ("Tenant", tenant.id), before=tenant, after=values)
