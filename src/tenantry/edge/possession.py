"""RFC 9449 §4: what the sender of a request proves to possess.

Law: every endpoint that takes a header `DPoP` asks these functions, and a request without one
costs nothing.
"""

from __future__ import annotations

from starlette.requests import Request

from tenantry.core.confirmation import Confirmation
from tenantry.core.facts import ApplicationFacts
from tenantry.oauth import dpop
from tenantry.oauth.client_authentication import AuthenticatedClient, bound_to
from tenantry.services.dpop import ProofRequest, ProvenKey, RefusedProof, verify
from tenantry.services.possession import (
    PresentedToken,
    require_certificate,
    require_proof,
    require_scheme,
)
from tenantry.services.request import acts_for, gives_nonce, request_context
from tenantry.services.runtime import Runtime


async def with_proven_key(
    runtime: Runtime, request: Request, client: AuthenticatedClient
) -> AuthenticatedClient:
    """The application with the key that it proved, where it authenticates itself (§5)."""
    try:
        proven = await proof_of(runtime, request)
    except RefusedProof as error:
        raise dpop.refused(error) from None
    return bound_to(client, Confirmation(jkt=proven.jkt)) if proven else client


async def proof_of(runtime: Runtime, request: Request) -> ProvenKey | None:
    """The key of the request's one proof; None without a proof, RefusedProof for a bad one."""
    proofs = request.headers.getlist("dpop")
    if not proofs:
        return None
    asked = ProofRequest(proofs, request.method, request.scope["path"])
    try:
        proven = await verify(runtime, request_context(request.scope), asked)
    except RefusedProof as error:
        gives_nonce(request.scope, error.nonce)
        raise
    gives_nonce(request.scope, proven.nonce)
    return proven


async def require_possession(
    runtime: Runtime,
    request: Request,
    presented: PresentedToken,
    application: ApplicationFacts,
    bound: Confirmation | None,
) -> None:
    """§7: at a protected resource. InvalidToken unless the sender may use the token."""
    # Scripts of the application may read what is wrong, and the nonce.
    acts_for(request.scope, application)
    require_scheme(bound, presented)
    require_certificate(bound, request_context(request.scope))
    if bound is None or not presented.by_proof:
        return
    asked = ProofRequest(
        request.headers.getlist("dpop"),
        request.method,
        request.scope["path"],
        presented.unverified_token,
    )
    try:
        proven = await require_proof(runtime, request_context(request.scope), bound, asked)
    except RefusedProof as error:
        gives_nonce(request.scope, error.nonce)
        raise dpop.refused_at_resource(error) from None
    gives_nonce(request.scope, proven.nonce)
