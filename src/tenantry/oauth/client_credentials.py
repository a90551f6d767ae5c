"""RFC 6749 §4.4: an application asks for itself.

Law: it gets what its client grant says and nothing else. This is the hot path: it runs on the
event loop and does no SQL but the epoch read and the audit row.
"""

from __future__ import annotations

from tenantry.core.clock import timestamp
from tenantry.core.context import Actor
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.errors import OAuthError, refusal, require
from tenantry.oauth.organizations import organization_of
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.resource_indicators import read_target
from tenantry.oauth.token_response import TokenResponse, token_type
from tenantry.rules import possession, scopes
from tenantry.rules.admission import UNKNOWN_AUDIENCE
from tenantry.rules.authorization import Decision, Refused
from tenantry.services.apis import signing_secret
from tenantry.services.application_flow import decide_for_application
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.services.token_contents import access_token_of_application
from tenantry.store.audit import Event
from tenantry.tokens import issue

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
        raise refusal(decision)
    api, address = decision.api, context.address
    if api is None:
        raise OAuthError("invalid_target", UNKNOWN_AUDIENCE)
    require(possession.bound_for(api, client.confirmation))
    actor = Actor("application", application.client_id, application.name, address.tenant_id)
    tenant = await load_tenant(runtime, address.tenant_id)
    ring = await key_ring(runtime, tenant)
    organization = await organization_of(runtime, tenant, parameters)
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
                **({"organization": organization.id} if organization else {}),
            },
        ),
    )
    token = issue.access_token(
        access_token_of_application(
            address,
            tenant,
            application,
            api,
            decision.scopes,
            timestamp(runtime.clock.now()),
            organization,
            client.confirmation,
        ),
        ring,
        api.signing_alg,
        await signing_secret(runtime.configuration, address.tenant_id, api),
        api.token_encryption,
    )
    await durable
    return {
        "access_token": token,
        "token_type": token_type(client.confirmation),
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
    requested = parameters.scopes()
    tenant = await load_tenant(runtime, context.address.tenant_id)
    audience = read_target(parameters, tenant) or tenant.default_audience
    organization = parameters.get("organization")
    asked = (audience, requested)
    return await decide_for_application(runtime, tenant, client.application, asked, organization)
