"""`POST /oauth/token`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.edge.parse import token_parameters
from tenantry.edge.render import NO_STORE, json_response
from tenantry.oauth.client_authentication import (
    AuthenticatedClient,
    authenticate,
    read_credentials,
)
from tenantry.oauth.errors import InvalidClient, OAuthError
from tenantry.oauth.grants import GRANTS
from tenantry.oauth.parameters import Parameters
from tenantry.services.request import RequestContext, acts_for, request_context
from tenantry.services.runtime import Runtime
from tenantry.store import applications
from tenantry.store.audit import Event


async def token(request: Request) -> Response:
    runtime: Runtime = request.scope["tenantry.runtime"]
    with runtime.audit.expecting():
        return await _token(runtime, request)


async def _token(runtime: Runtime, request: Request) -> Response:
    context = request_context(request.scope)
    parameters = await token_parameters(request)
    parameters.refuse_repetition()
    client = await _client(runtime, context, request, parameters)
    acts_for(request.scope, client.application)
    grant_type = parameters.require("grant_type")
    grant = GRANTS.get(grant_type)
    if grant is None:
        raise OAuthError("unsupported_grant_type", "The grant_type is not supported.")
    try:
        answer = await grant(runtime, context, client, parameters)
    except OAuthError as error:
        await _audit_refusal(runtime, context, client.application.client_id, grant_type, error)
        raise
    return json_response(answer, 200, NO_STORE)


async def _client(
    runtime: Runtime, context: RequestContext, request: Request, parameters: Parameters
) -> AuthenticatedClient:
    credentials = read_credentials(request.headers.get("authorization"), parameters)
    tenant_id = context.address.tenant_id
    application = await runtime.configuration.get(
        tenant_id, applications.find_by_client_id, credentials.client_id
    )
    try:
        return authenticate(application, credentials, runtime.vault)
    except InvalidClient as error:
        if application is not None:
            await _audit_refusal(runtime, context, application.client_id, "", error)
        raise


async def _audit_refusal(
    runtime: Runtime, context: RequestContext, client_id: str, grant_type: str, error: OAuthError
) -> None:
    await runtime.audit.submit(
        context.address.tenant_id,
        context.caller(),
        Event(
            "token.refused",
            client_id=client_id,
            details={"grant_type": grant_type, "error": error.error, "reason": str(error)},
        ),
    )
