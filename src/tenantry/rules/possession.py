"""RFC 9449 and RFC 8705: who must prove a key before it gets a token that is bound to it.

Law: a token request is refused unless it proves what its application and its API ask for; in
the front channel nothing can be proven.
"""

from __future__ import annotations

from collections.abc import Collection

from tenantry.core.confirmation import Confirmation
from tenantry.core.facts import ApplicationFacts, ProofOfPossession, ResourceServerFacts
from tenantry.rules.admission import Admission, check, in_order
from tenantry.rules.resources import parts_of

# RFC 6749 §5.2: what "is missing a required parameter"; RFC 9449 §5 has a code for bad proofs.
_MISSING = {
    ProofOfPossession.DPOP: ("invalid_request", "The request must carry a DPoP proof."),
    ProofOfPossession.MTLS: (
        "invalid_request",
        "The request must come with a client certificate to which the token is bound.",
    ),
}


def _proven(mechanism: ProofOfPossession, confirmation: Confirmation | None) -> bool:
    if confirmation is None:
        return False
    by_key = mechanism is ProofOfPossession.DPOP
    return (confirmation.jkt if by_key else confirmation.x5t_s256) is not None


def _require(
    mechanism: ProofOfPossession, confirmation: Confirmation | None, setting: str
) -> Admission:
    error, description = _MISSING[mechanism]
    return check(
        "proof_of_possession", _proven(mechanism, confirmation), setting, error, description
    )


def proves_key(application: ApplicationFacts, confirmation: Confirmation | None) -> Admission:
    """RFC 9449 §5.2, RFC 8705 §3.4: such an application proves it with each token request."""
    wanted = (
        (ProofOfPossession.DPOP, application.dpop_bound_access_tokens, "dpopBoundAccessTokens"),
        (
            ProofOfPossession.MTLS,
            application.tls_client_certificate_bound_access_tokens,
            "tlsClientCertificateBoundAccessTokens",
        ),
    )
    return in_order(
        *(
            _require(mechanism, confirmation, f"Application.{setting}")
            for mechanism, bound, setting in wanted
            if bound
        )
    )


def bound_for(api: ResourceServerFacts | None, confirmation: Confirmation | None) -> Admission:
    """What each API of a token wants it to be bound to."""
    wanted = [part.proof_of_possession for part in parts_of(api)] if api else []
    setting = "ResourceServer.proofOfPossession"
    return in_order(
        *(_require(mechanism, confirmation, setting) for mechanism in wanted if mechanism)
    )


def may_come_in_front(
    application: ApplicationFacts, api: ResourceServerFacts | None, parts: Collection[str]
) -> Admission:
    """RFC 6749 §4.2: an access token of the authorization endpoint is bound to nothing."""
    if "token" not in parts:
        return in_order()
    unbound = not (
        application.dpop_bound_access_tokens
        or application.tls_client_certificate_bound_access_tokens
    )
    text = "The application gets no access tokens from the authorization endpoint."
    setting = "Application.dpopBoundAccessTokens"
    return in_order(
        check("proof_of_possession", unbound, setting, "unauthorized_client", text),
        bound_for(api, None),
    )
