"""Custom domains as the schema shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from tenantry.core.custom_domains import (
    CustomDomainFacts,
    CustomDomainStatus,
    CustomDomainType,
    VerificationMethod,
)
from tenantry.management.ids import global_id
from tenantry.management.types.common import StoredObject, described, publish
from tenantry.management.types.enums import describe_enum

describe_enum(
    CustomDomainType,
    "Who sees to the certificates of a custom domain, and so who stands before it.",
    {
        CustomDomainType.SELF_MANAGED_CERTS: (
            "The tenant: its own proxy ends TLS, and sends the edge key with each request in the "
            "header `cname-api-key`; what comes without it is refused. On the wire: "
            "`self_managed_certs`."
        ),
        CustomDomainType.MANAGED_CERTS: (
            "The operator of the installation, whose proxy ends TLS for the domain. On the wire: "
            "`managed_certs`."
        ),
    },
)
describe_enum(
    CustomDomainStatus,
    "Whether requests to a custom domain are served.",
    {
        CustomDomainStatus.PENDING: "Not yet: it has never been verified.",
        CustomDomainStatus.READY: "They are: the domain is this tenant's.",
        CustomDomainStatus.DISABLED: (
            "No more: when it was verified again, its TXT record was gone. Verify it to go on."
        ),
    },
)
describe_enum(
    VerificationMethod,
    "How a custom domain is proven.",
    {VerificationMethod.TXT: "By a TXT record in the DNS. On the wire: `txt`."},
)

ABOUT: Mapping[str, str] = {
    "domain": (
        "The host name, of two labels at least, without port and final dot. At most 243 "
        "characters; other scripts become their ASCII form (punycode). Never changes. Several "
        "tenants may wait for a domain; the first that verifies it has it."
    ),
    "type": "Who sees to its certificates. Never changes.",
    "status": "Whether its requests are served.",
    "issuer": "The `iss` of what is issued at it: `https://`, the domain and a slash.",
    "verification_method": "How it is proven.",
    "verification_name": "The name that the TXT record must have.",
    "verification_value": "What the TXT record must say. Keep it as long as the domain is used.",
    "verified_at": "When it was last verified; null if it never was.",
    "custom_client_ip_header": (
        "The header in which the tenant's own proxy names the person's address, such as "
        "`true-client-ip`; of several addresses the last counts. It is believed only with the edge "
        "key, so that it needs SELF_MANAGED_CERTS. At most 64 characters. Default null: the "
        "address of the proxy."
    ),
    "domain_metadata": (
        "What the tenant keeps with the domain, a JSON object of at most 16384 bytes and ten "
        "levels. A change replaces the keys that it names, and removes those that it sets to "
        "null. Texts under keys that begin with `public_` or `PUBLIC_` stand for "
        "`{custom_domain.metadata.KEY}` in URLs of applications. Default empty."
    ),
    "jwks": (
        "Public keys of the tenant's own, as a JSON Web Key Set (RFC 7517 §5) of at most ten. "
        "The key set of this domain, and of no other address, publishes them first. Tokens that "
        "they sign are refused here. Each needs a `kid` that no signing key of the tenant has."
    ),
}


@strawberry.type(description="A host of the tenant's own, as a further issuer.")
class CustomDomain(StoredObject):
    domain: str = described(ABOUT, "domain")
    type: CustomDomainType = described(ABOUT, "type")
    status: CustomDomainStatus = described(ABOUT, "status")
    issuer: str = described(ABOUT, "issuer")
    verification_method: VerificationMethod = described(ABOUT, "verification_method")
    verification_name: str = described(ABOUT, "verification_name")
    verification_value: str = described(ABOUT, "verification_value")
    verified_at: datetime | None = described(ABOUT, "verified_at")
    custom_client_ip_header: str | None = described(ABOUT, "custom_client_ip_header")
    domain_metadata: JSON = described(ABOUT, "domain_metadata")
    jwks: JSON | None = described(ABOUT, "jwks")

    @classmethod
    def of(cls, facts: CustomDomainFacts, tenant_id: str) -> CustomDomain:
        jwks = json.loads(facts.jwks) if facts.jwks is not None else None
        id_ = global_id("CustomDomain", tenant_id, facts.id)
        return publish(cls, facts, id=id_, jwks=jwks)
