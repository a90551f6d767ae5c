"""Trusted issuers: registering, changing, removing, and their keys."""

from __future__ import annotations

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import TrustedIssuerFacts
from tenantry.rules.fields import checked, with_defaults
from tenantry.rules.trusted_issuers import TRUSTED_ISSUER_FIELDS, agreeing
from tenantry.services.changes import record_change
from tenantry.services.commands import Patch, Values
from tenantry.services.users import require_connection
from tenantry.store import trusted_issuers
from tenantry.store.unit_of_work import TenantSession


def create(db: TenantSession, command: Values) -> TrustedIssuerFacts:
    values = agreeing(with_defaults(TRUSTED_ISSUER_FIELDS, command))
    if values["connection"] is not None:
        require_connection(db, values["connection"])
    row_id = trusted_issuers.create(db, values)
    record_change(db, "trusted_issuer.created", ("TrustedIssuer", row_id), after=values)
    return _require(db, row_id)


def update(db: TenantSession, patch: Patch) -> TrustedIssuerFacts:
    current = _require(db, patch.id)
    if "issuer" in patch.values:
        raise DomainError(ErrorCode.IMMUTABLE, "This never changes.", "issuer")
    before = {name: getattr(current, name) for name in TRUSTED_ISSUER_FIELDS}
    values = agreeing({**before, **checked(TRUSTED_ISSUER_FIELDS, patch.values)})
    if values["connection"] is not None:
        require_connection(db, values["connection"])
    trusted_issuers.change(db, current, values, patch.expected_revision)
    record_change(
        db, "trusted_issuer.updated", ("TrustedIssuer", current.id), before=current, after=values
    )
    return _require(db, current.id)


def delete(db: TenantSession, patch: Patch) -> str:
    """Its assertions count no more. Returns the id."""
    current = _require(db, patch.id)
    trusted_issuers.delete(db, current, patch.expected_revision)
    record_change(db, "trusted_issuer.deleted", ("TrustedIssuer", current.id))
    return current.id


def _require(db: TenantSession, id: str) -> TrustedIssuerFacts:
    found = trusted_issuers.find(db, id)
    if found is None:
        raise not_found("trusted issuer")
    return found
