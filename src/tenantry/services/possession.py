"""RFC 9449 §7: what an access token is bound to, at a protected resource of ours.

Law: a token that is bound to a key is taken with a proof by that key and in no other way, and
one that is bound to none is never taken for more than it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.confirmation import Confirmation
from tenantry.services.dpop import ProofRequest, ProvenKey, RefusedProof, verify
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.tokens.verify import InvalidToken


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """An access token, and whether its scheme is `DPoP` (§7.1), not `Bearer`."""

    unverified_token: str
    by_proof: bool


def read_authorization(header: str) -> PresentedToken | None:
    """§7.1 and RFC 6750 §2.1: the token of the header `Authorization`."""
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() not in {"bearer", "dpop"} or not token:
        return None
    return PresentedToken(token, scheme.lower() == "dpop")


def require_scheme(bound: Confirmation | None, presented: PresentedToken) -> None:
    """§7.2: a bound token is refused as a bearer token; the reverse says too much of a token."""
    if presented.by_proof != (bound is not None and bound.jkt is not None):
        raise InvalidToken("presented by the scheme of another kind of token")


def require_certificate(bound: Confirmation | None, context: RequestContext) -> None:
    """RFC 8705 §3: the certificate of the connection is the one that the token is bound to."""
    if bound is None or bound.x5t_s256 is None:
        return
    if context.certificate is None or context.certificate.x5t_s256 != bound.x5t_s256:
        raise InvalidToken("bound to another client certificate")


async def require_proof(
    runtime: Runtime, context: RequestContext, bound: Confirmation, asked: ProofRequest
) -> ProvenKey:
    """§7.1: the proof of the key to which a token is bound."""
    if not asked.unverified_proofs:
        raise RefusedProof("invalid_dpop_proof", "The request must carry a DPoP proof.", None)
    proven = await verify(runtime, context, asked)
    if proven.jkt != bound.jkt:
        raise InvalidToken("bound to another key")
    return proven
