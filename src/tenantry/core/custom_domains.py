"""Custom domains: hosts of a tenant's own, beside its canonical address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tenantry.core.stored import Stored


class CustomDomainType(StrEnum):
    """Who sees to the certificates of a domain."""

    SELF_MANAGED_CERTS = "self_managed_certs"
    MANAGED_CERTS = "managed_certs"


class CustomDomainStatus(StrEnum):
    """Whether requests to a domain are served."""

    PENDING = "pending"
    READY = "ready"
    DISABLED = "disabled"


class VerificationMethod(StrEnum):
    """How a domain is proven."""

    TXT = "txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomDomainFacts(Stored):
    """`domain` is a host name in lower-case ASCII; `jwks` is the JSON text of public keys."""

    domain: str
    type: CustomDomainType
    status: CustomDomainStatus
    verification_value: str
    verified_at: datetime | None
    custom_client_ip_header: str | None
    domain_metadata: dict[str, object]
    jwks: str | None
    edge_key_digest: str | None

    @property
    def issuer(self) -> str:
        return f"https://{self.domain}/"

    @property
    def verification_method(self) -> VerificationMethod:
        return VerificationMethod.TXT

    @property
    def verification_name(self) -> str:
        """Where the TXT record stands."""
        return f"_tenantry.{self.domain}"

    @property
    def is_behind_own_edge(self) -> bool:
        """Whether the tenant's own proxy stands before it, which proves itself by a key."""
        return self.type is CustomDomainType.SELF_MANAGED_CERTS


@dataclass(frozen=True, slots=True)
class VerifiedDomain:
    """A host, and the tenant that has proven it."""

    tenant_id: str
    tenant_name: str
    is_root: bool
    facts: CustomDomainFacts
