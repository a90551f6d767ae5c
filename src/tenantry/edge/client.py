"""Who calls: the application behind a request to a back-channel endpoint (RFC 6749 §2.3).

Law: every endpoint at which an application authenticates asks this one function.
"""

from __future__ import annotations

from starlette.requests import Request

from tenantry.core.facts import ApplicationFacts
from tenantry.edge.throttle import spend
from tenantry.oauth import client_assertion, mtls
from tenantry.oauth.client_authentication import (
    AuthenticatedClient,
    Proof,
    UnverifiedCredentials,
    authenticate,
    bound_to,
    read_credentials,
)
from tenantry.oauth.errors import InvalidClient, OAuthError
from tenantry.oauth.parameters import Parameters
from tenantry.rules.compliance import in_force
from tenantry.rules.rate_limits import RateLimit, subscriber
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.store import applications
from tenantry.store.audit import Event


async def authenticated_client(
    runtime: Runtime, context: RequestContext, request: Request, parameters: Parameters
) -> AuthenticatedClient:
    """The application that proved itself; a refusal leaves an audit row when it is known."""
    credentials = read_credentials(request.headers.get("authorization"), parameters)
    tenant_id = context.address.tenant_id
    application = await runtime.configuration.get(
        tenant_id, applications.find_by_client_id, credentials.client_id
    )
    application = in_force(application) if application else None
    try:
        proof = await _proof(runtime, context, request, application, credentials)
        client = authenticate(application, credentials, runtime.vault, proof)
    except InvalidClient as error:
        await spend(runtime, context, RateLimit.FAILED_AUTHENTICATION, subscriber(context.facts.ip))
        if application is not None:
            await audit_refusal(runtime, context, application.client_id, "", error)
        raise
    # Nobody can use up the allowance of an application that has something to prove itself by.
    address = f" {subscriber(context.facts.ip)}" if client.application.is_public else ""
    await spend(runtime, context, RateLimit.CLIENT, f"{client.application.client_id}{address}")
    return bound_to(client, mtls.confirmation(client.application, context))


async def _proof(
    runtime: Runtime,
    context: RequestContext,
    request: Request,
    application: ApplicationFacts | None,
    credentials: UnverifiedCredentials,
) -> Proof | None:
    """What proves the application otherwise than by a secret."""
    if application is None:
        return None
    if credentials.assertion is not None:
        endpoint = context.address.issuer + request.scope["path"].removeprefix("/")
        return await client_assertion.verify(
            runtime, context, application, credentials.assertion, endpoint
        )
    method = application.token_endpoint_auth_method
    if method.uses_certificate and not credentials.unverified_secrets:
        return await mtls.verify(runtime, context, application)
    return None


async def audit_refusal(
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
