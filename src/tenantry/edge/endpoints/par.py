"""`POST /oauth/par`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.edge.client import authenticated_client
from tenantry.edge.parse import token_parameters
from tenantry.edge.possession import with_proven_key
from tenantry.edge.render import NO_STORE, json_response
from tenantry.oauth import par as protocol
from tenantry.oauth.errors import OAuthError
from tenantry.services.request import RequestContext, acts_for, request_context
from tenantry.services.runtime import Runtime
from tenantry.store.audit import Event


async def par(request: Request) -> Response:
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    parameters = await token_parameters(request)
    parameters.refuse_repetition()
    client = await authenticated_client(runtime, context, request, parameters)
    acts_for(request.scope, client.application)
    try:
        client = await with_proven_key(runtime, request, client)
        answer = await protocol.push(runtime, context, client, parameters)
    except OAuthError as error:
        if error.error == "use_dpop_nonce":
            raise
        await _audit_refusal(runtime, context, client.application.client_id, error)
        raise
    return json_response(answer, 201, NO_STORE)


async def _audit_refusal(
    runtime: Runtime, context: RequestContext, client_id: str, error: OAuthError
) -> None:
    details = {"error": error.error, "reason": str(error)}
    event = Event("authorization.refused", client_id=client_id, details=details)
    await runtime.audit.submit(context.address.tenant_id, context.caller(), event)
