"""Who calls: the application behind a request to a back-channel endpoint (RFC 6749 §2.3).

Law: every endpoint at which an application authenticates asks this one function.
"""

from __future__ import annotations

from starlette.requests import Request

from tenantry.edge.throttle import spend
from tenantry.oauth import client_assertion
from tenantry.oauth.client_authentication import (
    AuthenticatedClient,
    authenticate,
    read_credentials,
)
from tenantry.oauth.errors import InvalidClient, OAuthError
from tenantry.oauth.parameters import Parameters
from tenantry.rules.rate_limits import RateLimit
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
    try:
        proof = None
        if application is not None and credentials.assertion is not None:
            endpoint = context.address.issuer + request.scope["path"].removeprefix("/")
            proof = await client_assertion.verify(
                runtime, context, application, credentials.assertion, endpoint
            )
        client = authenticate(application, credentials, runtime.vault, proof)
    except InvalidClient as error:
        await spend(runtime, context, RateLimit.FAILED_AUTHENTICATION, context.facts.ip)
        if application is not None:
            await audit_refusal(runtime, context, application.client_id, "", error)
        raise
    # Nobody can use up the allowance of an application that has something to prove itself by.
    address = f" {context.facts.ip}" if client.application.is_public else ""
    await spend(runtime, context, RateLimit.CLIENT, f"{client.application.client_id}{address}")
    return client


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
