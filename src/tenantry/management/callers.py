"""RFC 6750 and RFC 9449 §7: who calls the management API, and how one that may not is answered.

Law: a token that is bound to a key is good with a proof of the key, in each request. A WebSocket
can carry none, so there such a token is good for nothing.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.keys.dpop import ALGORITHMS
from tenantry.management.answers import Answer, as_json, errors_of
from tenantry.management.errors import request_error
from tenantry.services.dpop import ProofRequest, RefusedProof
from tenantry.services.management_access import Administrator, SignInTooOld, authorize
from tenantry.services.possession import (
    read_authorization,
    require_certificate,
    require_proof,
    require_scheme,
)
from tenantry.services.request import RequestContext, gives_nonce, request_context
from tenantry.services.runtime import Runtime
from tenantry.tokens.verify import InvalidToken


async def authorized(runtime: Runtime, context: RequestContext, header: str) -> Administrator:
    """Whose token it is. InvalidToken for none, and for one by the scheme of another kind."""
    presented = read_authorization(header)
    if presented is None:
        raise InvalidToken("no token")
    administrator = await authorize(runtime, context, presented.unverified_token)
    require_scheme(administrator.confirmation, presented)
    require_certificate(administrator.confirmation, context)
    return administrator


async def require_possession(
    runtime: Runtime, request: Request, administrator: Administrator, header: str
) -> None:
    """The proof of the key that the token is bound to; RefusedProof for a bad one."""
    bound, presented = administrator.confirmation, read_authorization(header)
    if bound is None or presented is None or not presented.by_proof:
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
        raise
    gives_nonce(request.scope, proven.nonce)


def challenge(
    runtime: Runtime,
    request: Request,
    context: RequestContext,
    refused: RefusedProof | InvalidToken | None = None,
) -> Response:
    """RFC 6750 §3, RFC 9449 §7.1, RFC 9470 §3 and RFC 9728 §5.1: how to ask, and who may."""
    address = context.address
    path = runtime.addresses.insertion_path(address.issuer)
    metadata = f"{address.origin}/.well-known/oauth-protected-resource{path}/graphql"
    message = "Send an access token for this management API."
    header = request.headers.get("authorization")
    parts = ['error="invalid_token"'] if header is not None else []
    if isinstance(refused, SignInTooOld):
        message = "The user must sign in again."
        parts = [
            'error="insufficient_user_authentication"',
            f'error_description="{message}"',
            f'max_age="{refused.max_age}"',
        ]
    if isinstance(refused, RefusedProof):
        message = refused.description
        parts = [f'error="{refused.error}"', f'error_description="{refused.description}"']
    parts.append(f'resource_metadata="{metadata}"')
    algs = f'algs="{" ".join(ALGORITHMS)}"'
    presented = read_authorization(header or "")
    if presented is not None and presented.by_proof:
        told = f"DPoP {', '.join([*parts, algs])}"
    else:
        told = f"Bearer {', '.join(parts)}, DPoP {algs}"
    error = request_error("UNAUTHENTICATED", message)
    return as_json(Answer(errors_of(error), 401), headers={"WWW-Authenticate": told})
