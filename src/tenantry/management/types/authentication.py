"""How applications prove who they are, and what profiles ask of that, as the schema shows it."""

from __future__ import annotations

from tenantry.core.compliance import ComplianceLevel
from tenantry.core.facts import ProofOfPossession, TokenEndpointAuthMethod
from tenantry.management.types.enums import describe_on_wire
from tenantry.rules.compliance import LEVELS

_PROVEN = {
    TokenEndpointAuthMethod.PRIVATE_KEY_JWT: "signed assertions",
    TokenEndpointAuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH: "client certificates",
}
_BOUND = {ProofOfPossession.MTLS: "a client certificate", ProofOfPossession.DPOP: "a DPoP key"}

describe_on_wire(
    TokenEndpointAuthMethod,
    "How an application proves who it is at the token endpoint.",
    {
        TokenEndpointAuthMethod.NONE: "Not at all: the application is public.",
        TokenEndpointAuthMethod.CLIENT_SECRET_BASIC: "Its secret, by HTTP Basic.",
        TokenEndpointAuthMethod.CLIENT_SECRET_POST: "Its secret, in the body.",
        TokenEndpointAuthMethod.CLIENT_SECRET_JWT: "A JWT that its secret signs.",
        TokenEndpointAuthMethod.PRIVATE_KEY_JWT: "A JWT that its private key signs.",
        TokenEndpointAuthMethod.TLS_CLIENT_AUTH: (
            "A TLS client certificate of a certificate authority, by its name (RFC 8705 §2.1)."
        ),
        TokenEndpointAuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH: (
            "A TLS client certificate that was uploaded or registered (RFC 8705 §2.2)."
        ),
    },
)
describe_on_wire(
    ComplianceLevel,
    "The profiles of OpenID's FAPI working group. `PKJ` stands for signed assertions of the "
    "application (private_key_jwt), `MTLS` for its certificate; the last word says what its "
    "tokens are bound to.",
    {
        level: f"{profile.title}; {_PROVEN[min(profile.methods)]}, "
        f"tokens bound to {_BOUND[profile.bound_by]}."
        for level, profile in LEVELS.items()
    },
)
