"""`POST /oauth/token`."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from tenantry.core.facts import ApplicationFacts
from tenantry.edge.client import audit_refusal, authenticated_client
from tenantry.edge.parse import token_parameters
from tenantry.edge.possession import with_proven_key
from tenantry.edge.render import NO_STORE, json_response
from tenantry.edge.throttle import spend
from tenantry.oauth import client_credentials, rar
from tenantry.oauth.errors import OAuthError, require
from tenantry.oauth.grants import GRANTS
from tenantry.rules.client_address import end_users_address
from tenantry.rules.possession import proves_key
from tenantry.rules.rate_limits import RateLimit, subscriber
from tenantry.services.request import RequestContext, acts_for, request_context
from tenantry.services.runtime import Runtime
from tenantry.store.audit_queue import Expectation

# An answer to a poll that comes before the person's (RFC 8628 §3.5) is not worth a row, nor is
# the nonce that an application asks for by its first request (RFC 9449 §8).
_NO_REFUSAL = frozenset({"authorization_pending", "slow_down", "use_dpop_nonce"})


async def token(request: Request) -> Response:
    runtime: Runtime = request.scope["tenantry.runtime"]
    with runtime.audit.expecting() as expectation:
        return await _token(runtime, request, expectation)


async def _token(runtime: Runtime, request: Request, expectation: Expectation) -> Response:
    context = request_context(request.scope)
    parameters = await token_parameters(request)
    parameters.refuse_repetition()
    client = await authenticated_client(runtime, context, request, parameters)
    acts_for(request.scope, client.application)
    context = await _for_end_user(runtime, context, request, client.application)
    grant_type = parameters.require("grant_type")
    grant = GRANTS.get(grant_type)
    if grant is None:
        raise OAuthError("unsupported_grant_type", "The grant_type is not supported.")
    if grant is not client_credentials.grant:
        expectation.end()  # The others write their rows with what they record themselves.
    try:
        client = await with_proven_key(runtime, request, client)
        require(proves_key(client.application, client.confirmation))
        rar.refuse_for(grant_type, parameters)
        answer = await grant(runtime, context, client, parameters)
    except OAuthError as error:
        if error.error in _NO_REFUSAL:
            raise
        await audit_refusal(runtime, context, client.application.client_id, grant_type, error)
        raise
    return json_response(answer, 200, NO_STORE)


async def _for_end_user(
    runtime: Runtime, context: RequestContext, request: Request, application: ApplicationFacts
) -> RequestContext:
    """The person's address instead of the application's, with an allowance of its own."""
    ip = end_users_address(application, request.headers)
    if ip is None:
        return context
    await spend(runtime, context, RateLimit.ADDRESS, subscriber(ip))
    return replace(context, facts=replace(context.facts, ip=ip))
