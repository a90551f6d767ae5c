"""`POST /oidc/register` and `GET /oidc/register/{client_id}`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.edge.parse import json_document, query_parameters
from tenantry.edge.render import NO_STORE, json_response
from tenantry.oauth import registration as protocol
from tenantry.oauth.bearer import malformed, read_token
from tenantry.oauth.errors import OAuthError
from tenantry.services.request import request_context
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
    try:
        query_token = query_parameters(request).get("access_token")
    except OAuthError as error:
        raise malformed(error.description, error.status) from None
    unverified_token = read_token(request.headers.get("authorization"), None, query_token)
    information = await protocol.read(
        request.scope["tenantry.runtime"],
        request_context(request.scope),
        request.scope["path"].removeprefix(CONFIGURATION),
        unverified_token,
    )
    return json_response(information, 200, NO_STORE)
