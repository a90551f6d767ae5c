"""Custom domains: registering, proving, changing, removing, and their keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.custom_domains import CustomDomainFacts, CustomDomainStatus
from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.ids import new_token
from tenantry.keys.vault import Vault
from tenantry.rules.addresses import Addresses
from tenantry.rules.custom_domains import (
    CUSTOM_DOMAIN_FIELDS,
    agreeing,
    customer_keys,
    proves,
    require_not_ours,
)
from tenantry.rules.fields import checked, with_defaults
from tenantry.rules.metadata import merged
from tenantry.services.changes import record_change
from tenantry.services.commands import Patch, Values
from tenantry.store import custom_domains, signing_keys, verified_domains
from tenantry.store.unit_of_work import TenantSession

_PURPOSE = "edge key"
_IMMUTABLE = ("domain", "type")


@dataclass(frozen=True, slots=True)
class DomainWithKey:
    """The edge key is here only where it was made just now."""

    domain: CustomDomainFacts
    edge_key: str | None = None


def create(db: TenantSession, addresses: Addresses, command: Values) -> CustomDomainFacts:
    """A domain that is to be proven. Others may wait for it too."""
    values = agreeing(with_defaults(CUSTOM_DOMAIN_FIELDS, command))
    require_not_ours(addresses, values["domain"])
    values["domain_metadata"] = merged({}, values["domain_metadata"], "domain_metadata")
    stored = {
        **values,
        "status": CustomDomainStatus.PENDING,
        "verification_value": f"tenantry-domain-verification={new_token()}",
        "verified_at": None,
        "jwks": None,
        "edge_key_digest": None,
    }
    row_id = custom_domains.create(db, stored)
    record_change(db, "custom_domain.created", ("CustomDomain", row_id), after=values)
    return _require(db, row_id)


def update(db: TenantSession, patch: Patch) -> CustomDomainFacts:
    current = _require(db, patch.id)
    fixed = next((name for name in _IMMUTABLE if name in patch.values), None)
    if fixed is not None:
        raise DomainError(ErrorCode.IMMUTABLE, "This never changes.", fixed)
    before = {name: getattr(current, name) for name in CUSTOM_DOMAIN_FIELDS}
    values = agreeing({**before, **checked(CUSTOM_DOMAIN_FIELDS, patch.values)})
    if patch.values.get("domain_metadata") is not None:
        values["domain_metadata"] = merged(
            current.domain_metadata, values["domain_metadata"], "domain_metadata"
        )
    return _change(db, current, values, patch.expected_revision, "custom_domain.updated")


def verify(db: TenantSession, patch: Patch, found: Collection[str]) -> DomainWithKey:
    """Serves the domain from now on if its record is among the TXT records that were found.

    A ready domain that has lost its record is disabled: whoever proves it next may have it.
    """
    current = _require(db, patch.id)
    if not proves(current, found):
        if current.status is not CustomDomainStatus.READY:
            raise DomainError(
                ErrorCode.NOT_ALLOWED,
                f"There is no TXT record {current.verification_name} with the value "
                f"{current.verification_value}.",
                "id",
            )
        values: dict[str, Any] = {"status": CustomDomainStatus.DISABLED}
        disabled = _change(db, current, values, patch.expected_revision, "custom_domain.disabled")
        verified_domains.release(db, current)
        return DomainWithKey(disabled)
    first_key = current.is_behind_own_edge and current.edge_key_digest is None
    edge_key = new_token() if first_key else None
    values = {"status": CustomDomainStatus.READY, "verified_at": db.now}
    if edge_key is not None:
        values["edge_key_digest"] = db.vault.digest(edge_key, _PURPOSE)
    domain = _change(db, current, values, patch.expected_revision, "custom_domain.verified")
    if not verified_domains.claim(db, current):
        raise DomainError(
            ErrorCode.ALREADY_EXISTS, "Another tenant has verified this domain before.", "id"
        )
    return DomainWithKey(domain, edge_key)


def rotate_edge_key(db: TenantSession, patch: Patch) -> DomainWithKey:
    """Makes a new key; the old one ends at once."""
    current = _require(db, patch.id)
    if current.edge_key_digest is None:
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "A domain has an edge key once it was verified, with self_managed_certs.",
            "id",
        )
    edge_key = new_token()
    values = {"edge_key_digest": db.vault.digest(edge_key, _PURPOSE)}
    event = "custom_domain.cname_api_key_rotated"
    return DomainWithKey(_change(db, current, values, patch.expected_revision, event), edge_key)


def is_edge_key(vault: Vault, domain: CustomDomainFacts, presented: str) -> bool:
    """Whether a request came through the edge of the domain."""
    return vault.matches(presented, domain.edge_key_digest, _PURPOSE)


def set_keys(db: TenantSession, patch: Patch) -> CustomDomainFacts:
    """Replaces the keys that the domain publishes before the tenant's own."""
    current = _require(db, patch.id)
    own = [key.kid for key in signing_keys.live(db)]
    values = {"jwks": customer_keys(patch.values["jwks"], ("jwks",), own)}
    return _change(db, current, values, patch.expected_revision, "custom_domain.jwks_set")


def delete_keys(db: TenantSession, patch: Patch) -> CustomDomainFacts:
    current = _require(db, patch.id)
    values = {"jwks": None}
    return _change(db, current, values, patch.expected_revision, "custom_domain.jwks_deleted")


def delete(db: TenantSession, patch: Patch) -> str:
    """Its requests are refused from now on, and the domain is free. Returns the id."""
    current = _require(db, patch.id)
    # The row first: a verification at the same moment is either before it, or is refused.
    custom_domains.delete(db, current, patch.expected_revision)
    verified_domains.release(db, current)
    record_change(db, "custom_domain.deleted", ("CustomDomain", current.id))
    return current.id


def _change(
    db: TenantSession,
    current: CustomDomainFacts,
    values: Mapping[str, Any],
    expected_revision: int | None,
    event: str,
) -> CustomDomainFacts:
    custom_domains.change(db, current, values, expected_revision)
    record_change(
        db, event, ("CustomDomain", current.id), before=current, after=_without_digest(values)
    )
    return _require(db, current.id)


def _without_digest(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit log may say: times and digests are no settings."""
    hidden = {"edge_key_digest", "verified_at"}
    return {name: value for name, value in values.items() if name not in hidden}


def _require(db: TenantSession, id: str) -> CustomDomainFacts:
    found = custom_domains.find(db, id)
    if found is None:
        raise not_found("custom domain")
    return found
