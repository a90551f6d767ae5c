"""`GET` and `POST /userinfo`."""

from __future__ import annotations

import re
import uuid

from starlette.requests import Request
from starlette.responses import Response

from tenantry.core.confirmation import Confirmation
from tenantry.core.facts import ApplicationFacts
from tenantry.edge.parse import form_parameters, has_form, query_parameters
from tenantry.edge.possession import require_possession
from tenantry.edge.render import NO_STORE, json_response
from tenantry.oauth import dpop
from tenantry.oauth import userinfo as protocol
from tenantry.oauth.bearer import malformed, read_access_token
from tenantry.oauth.errors import OAuthError
from tenantry.rules.authorization import Refused
from tenantry.rules.compliance import may_call
from tenantry.services.possession import read_authorization
from tenantry.services.request import request_context
from tenantry.services.runtime import Runtime

_INTERACTION_ID = "x-fapi-interaction-id"
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


async def userinfo(request: Request) -> Response:
    presented = read_authorization(request.headers.get("authorization", ""))
    try:
        return await _userinfo(request)
    except OAuthError as error:
        by_proof = presented is not None and presented.by_proof
        raise dpop.with_challenge(error, by_proof=by_proof) from None


async def _userinfo(request: Request) -> Response:
    body_token = None
    try:
        # RFC 6750 §2.2: only a form carries a token; the header is good beside any other body.
        if request.method == "POST" and has_form(request):
            body_token = (await form_parameters(request)).get("access_token")
        query_token = query_parameters(request).get("access_token")
    except OAuthError as error:
        raise malformed(error.description, error.status) from None
    presented = read_access_token(request.headers.get("authorization"), body_token, query_token)
    runtime: Runtime = request.scope["tenantry.runtime"]
    interaction = _interaction_id(request)

    async def prove(application: ApplicationFacts, bound: Confirmation | None) -> None:
        called = may_call(application, has_interaction_id=interaction is not None)
        if isinstance(called, Refused):
            raise malformed(called.description)
        await require_possession(runtime, request, presented, application, bound)

    claims = await protocol.userinfo(
        runtime, request_context(request.scope), presented.unverified_token, prove
    )
    # FAPI 1.0 Baseline §6.2.1 (11): "the value received […] or […] a [RFC4122] UUID value".
    headers = {**NO_STORE, _INTERACTION_ID: interaction or str(uuid.uuid4())}
    if isinstance(claims, str):
        return Response(claims, 200, headers, "application/jwt")
    return json_response(claims, 200, headers)


def _interaction_id(request: Request) -> str | None:
    """A UUID in its usual form; what is none is not repeated."""
    values = request.headers.getlist(_INTERACTION_ID)
    return values[0] if len(values) == 1 and _UUID.fullmatch(values[0]) else None
