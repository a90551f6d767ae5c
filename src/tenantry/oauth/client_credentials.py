"""RFC 6749 §4.4: an application asks for itself.

Law: it gets what its client grant says and nothing else. This is the hot path: it runs on the
event loop and does no SQL but the epoch read and the audit row.
"""

from __future__ import annotations

from tenantry.core.clock import timestamp
from tenantry.core.context import Actor
from tenantry.core.facts import ClaimTarget, SubjectType
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.errors import OAuthError
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.resource_indicators import read_target
from tenantry.oauth.token_response import TokenResponse
from tenantry.rules import scopes
from tenantry.rules.authorization import (
    ClientCredentialsFacts,
    Decision,
    Refused,
    decide_client_credentials,
)
from tenantry.services.apis import find_target, granted_to_application, signing_secret
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.services.token_claims import claims_for_application
from tenantry.store.audit import Event
from tenantry.tokens import issue
from tenantry.tokens.access_token import AccessTokenContent

GRANT_TYPE = "client_credentials"


async def grant(
    runtime: Runtime,
    context: RequestContext,
    client: AuthenticatedClient,
    parameters: Parameters,
) -> TokenResponse:
    """Facts, decide, audit, issue."""
    application = client.application
    decision = await decide(runtime, context, client, parameters)
    if isinstance(decision, Refused):
        raise OAuthError(decision.error, decision.description, decision.status)
    api, address = decision.api, context.address
    if api is None:
        raise OAuthError("invalid_target", "The audience is not an API of this tenant.")
    actor = Actor("application", application.client_id, application.name, address.tenant_id)
    tenant = await load_tenant(runtime, address.tenant_id)
    ring = await key_ring(runtime, tenant)
    told = claims_for_application(tenant, application, decision.scopes)
    durable = runtime.audit.submit(
        address.tenant_id,
        context.caller(actor),
        Event(
            "token.issued",
            client_id=application.client_id,
            details={
                "grant_type": GRANT_TYPE,
                "audience": api.identifier,
                "scope": scopes.render(decision.scopes),
            },
        ),
    )
    token = issue.access_token(
        AccessTokenContent(
            issuer=address.issuer,
            subject=f"{application.client_id}@clients",
            audience=api.audiences,
            scopes=decision.scopes,
            client_id=application.client_id,
            issued_at=timestamp(runtime.clock.now()),
            lifetime=api.token_lifetime,
            dialect=api.token_dialect,
            is_machine=True,
            permissions=told.permissions,
            custom=told.custom(ClaimTarget.ACCESS_TOKEN).claims,
        ),
        ring,
        api.signing_alg,
        await signing_secret(runtime.configuration, address.tenant_id, api),
        api.token_encryption,
    )
    await durable
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": api.token_lifetime,
        "scope": scopes.render(decision.scopes),
    }


async def decide(
    runtime: Runtime,
    context: RequestContext,
    client: AuthenticatedClient,
    parameters: Parameters,
) -> Decision:
    """Loads the facts and decides; explaining a request stops here."""
    tenant_id, application = context.address.tenant_id, client.application
    requested = parameters.scopes()
    tenant = await load_tenant(runtime, tenant_id)
    audience = read_target(parameters, tenant) or tenant.default_audience
    api, granted = None, None
    if audience is not None:
        api = await find_target(runtime.configuration, runtime.addresses, tenant_id, audience)
    if api is not None:
        granted = await granted_to_application(
            runtime.configuration, tenant_id, application.client_id, api, SubjectType.CLIENT
        )
    return decide_client_credentials(
        ClientCredentialsFacts(
            application=application,
            audience=audience,
            api=api,
            granted=granted,
            requested=requested,
        )
    )
