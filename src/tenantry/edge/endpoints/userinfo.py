"""`GET` and `POST /userinfo`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.edge.parse import form_parameters, has_form, query_parameters
from tenantry.edge.render import NO_STORE, json_response
from tenantry.oauth import userinfo as protocol
from tenantry.oauth.bearer import malformed, read_token
from tenantry.oauth.errors import OAuthError
from tenantry.services.request import acts_for, request_context


async def userinfo(request: Request) -> Response:
    body_token = None
    try:
        # RFC 6750 §2.2: only a form carries a token; the header is good beside any other body.
        if request.method == "POST" and has_form(request):
            body_token = (await form_parameters(request)).get("access_token")
        query_token = query_parameters(request).get("access_token")
    except OAuthError as error:
        raise malformed(error.description, error.status) from None
    unverified_token = read_token(request.headers.get("authorization"), body_token, query_token)
    claims, application = await protocol.userinfo(
        request.scope["tenantry.runtime"], request_context(request.scope), unverified_token
    )
    acts_for(request.scope, application)
    if isinstance(claims, str):
        return Response(claims, 200, NO_STORE, "application/jwt")
    return json_response(claims, 200, NO_STORE)
