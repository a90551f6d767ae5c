"""`POST /oauth/introspect`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.edge.client import authenticated_client
from tenantry.edge.parse import token_parameters
from tenantry.edge.render import NO_STORE, json_response
from tenantry.oauth import introspection as protocol
from tenantry.services.request import request_context
from tenantry.services.runtime import Runtime


async def introspection(request: Request) -> Response:
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    parameters = await token_parameters(request)
    parameters.refuse_repetition()
    client = await authenticated_client(runtime, context, request, parameters)
    answer = await protocol.introspect(runtime, context, client, parameters)
    if not _wants_signed(request.headers.get("accept", "")):
        return json_response(answer, 200, {**NO_STORE, "Vary": "Accept"})
    signed = await protocol.sign(runtime, context.address, client, answer)
    headers = {**NO_STORE, "Vary": "Accept", "X-Content-Type-Options": "nosniff"}
    return Response(signed, 200, headers, protocol.MEDIA_TYPE)


def _wants_signed(accept: str) -> bool:
    """RFC 9701 §4: the media type is named, and not refused by a weight of zero."""
    for item in accept.lower().split(","):
        name, *weights = (part.strip() for part in item.split(";"))
        if name == protocol.MEDIA_TYPE:
            return not any(weight.replace("0", "").rstrip(".") == "q=" for weight in weights)
    return False
