"""OpenID Connect Core §3.1.2.2: what is made of the parameters of an authorization request.

Law: a request is read in one way, whether a browser brings it or the application pushes it.
"""

from __future__ import annotations

from tenantry.core.facts import ApplicationFacts, TenantFacts
from tenantry.oauth.authorization_request import (
    AuthorizationRequest,
    decide_redirect_uri,
    read_request,
)
from tenantry.oauth.organizations import read_asked
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.standing import Subject
from tenantry.rules.addresses import TenantAddress
from tenantry.services.apis import find_target
from tenantry.services.client_secrets import shared_secret
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.store import installation
from tenantry.store.unit_of_work import INSTALLATION


async def admitted(
    runtime: Runtime,
    context: RequestContext,
    tenant: TenantFacts,
    application: ApplicationFacts | None,
    parameters: Parameters,
) -> AuthorizationRequest:
    """The valid request. The redirect URI comes first: PageError for it, RedirectError after."""
    own = application is not None and await _is_own_page(
        runtime, context, application, parameters.as_mapping().get("redirect_uri", "")
    )
    within = await read_asked(runtime, context, tenant, parameters)
    redirect_uri = decide_redirect_uri(application, parameters, is_own_page=own, within=within)
    if application is None:
        raise LookupError("no redirect URI belongs to no application")
    ring = await key_ring(runtime, tenant)
    issuer = context.address.issuer
    shared = shared_secret(runtime.vault, tenant.id, application)
    return read_request(parameters, application, tenant, redirect_uri, ring, issuer, shared, within)


async def _is_own_page(
    runtime: Runtime, context: RequestContext, application: ApplicationFacts, uri: str
) -> bool:
    """Whether the root's explorer asks for the page of another tenant's explorer."""
    if not application.is_system or not context.address.is_root:
        return False
    name = runtime.addresses.tenant_of_management_identifier(uri)
    return name is not None and bool(
        await runtime.configuration.get(INSTALLATION, installation.tenant_identity, name)
    )


async def subject_of(
    runtime: Runtime, address: TenantAddress, application: ApplicationFacts, audience: str | None
) -> Subject:
    api = None
    if audience is not None:
        api = await find_target(
            runtime.configuration, runtime.addresses, address.tenant_id, audience
        )
    tenant = await load_tenant(runtime, address.tenant_id)
    ring = await key_ring(runtime, tenant)
    return Subject(
        application, api, address.issuer, address.userinfo_audience, tenant, address, ring
    )
