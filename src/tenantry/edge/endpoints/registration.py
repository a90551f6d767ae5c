"""`POST /oidc/register`, and `GET` and `DELETE /oidc/register/{client_id}`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.edge.parse import json_document, query_parameters
from tenantry.edge.render import NO_STORE, json_response
from tenantry.oauth import registration as protocol
from tenantry.oauth.bearer import malformed, read_token
from tenantry.oauth.errors import OAuthError
from tenantry.services.request import RequestContext, request_context
from tenantry.services.runtime import Runtime

CONFIGURATION = "/oidc/register/"
"""RFC 7592 §2: the path of a client configuration endpoint, before the client id."""


async def register(request: Request) -> Response:
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    await protocol.require_enabled(runtime, context)
    document = await json_document(request)
    return json_response(await protocol.register(runtime, context, document), 201, NO_STORE)


async def read(request: Request) -> Response:
    information = await protocol.read(*_configuration(request))
    return json_response(information, 200, NO_STORE)


async def delete(request: Request) -> Response:
    await protocol.delete(*_configuration(request))
    return Response(status_code=204, headers=NO_STORE)


def _configuration(request: Request) -> tuple[Runtime, RequestContext, str, str]:
    """Where, which client, and the token that it presents."""
    try:
        query_token = query_parameters(request).get("access_token")
    except OAuthError as error:
        raise malformed(error.description, error.status) from None
    unverified_token = read_token(request.headers.get("authorization"), None, query_token)
    return (
        request.scope["tenantry.runtime"],
        request_context(request.scope),
        request.scope["path"].removeprefix(CONFIGURATION),
        unverified_token,
    )
