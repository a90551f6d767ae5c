"""`POST /oauth/revoke`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.edge.client import authenticated_client
from tenantry.edge.parse import token_parameters
from tenantry.edge.render import NO_STORE
from tenantry.oauth import revocation as protocol
from tenantry.services.request import acts_for, request_context
from tenantry.services.runtime import Runtime


async def revocation(request: Request) -> Response:
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    parameters = await token_parameters(request)
    parameters.refuse_repetition()
    client = await authenticated_client(runtime, context, request, parameters)
    acts_for(request.scope, client.application)
    await protocol.revoke_token(runtime, context, client, parameters)
    return Response(b"", 200, NO_STORE)
