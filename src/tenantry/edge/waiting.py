"""The authorization that a page belongs to, with everything that the page needs."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from tenantry.core.facts import ApplicationFacts, TenantFacts
from tenantry.core.organizations import OrganizationFacts
from tenantry.edge.cookies import browser_cookie, state_cookie
from tenantry.edge.endpoints.authorize import answer
from tenantry.edge.errors import error_response_page
from tenantry.edge.form_token import form_token, is_form_token
from tenantry.edge.parse import form_parameters, query_parameters
from tenantry.edge.render import see_other, with_query
from tenantry.oauth import authorize
from tenantry.oauth.admitted_request import subject_of
from tenantry.oauth.authorization_request import AuthorizationRequest
from tenantry.oauth.errors import OAuthError
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.standing import Subject
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext, request_context
from tenantry.services.runtime import Runtime
from tenantry.store import applications, organizations
from tenantry.store.authorizations import AuthorizationFacts

_EXPIRED = "This sign-in has expired, was completed, or belongs to another browser."
_FORGED = "The form was not sent from this page. Go back and try again."


@dataclass(frozen=True, slots=True)
class Waiting:
    """An authorization that waits, with everything that its page needs."""

    runtime: Runtime
    context: RequestContext
    tenant: TenantFacts
    application: ApplicationFacts
    subject: Subject
    found: AuthorizationFacts
    handle: str
    browser: str
    browser_state: str
    organization: OrganizationFacts | None

    @property
    def asked(self) -> AuthorizationRequest:
        return AuthorizationRequest.from_json(self.found.request)

    @property
    def is_over(self) -> bool:
        """Whether the organization that it is for was deleted meanwhile."""
        return self.asked.organization_id is not None and self.organization is None

    def action(self, name: str) -> str:
        return f"{self.context.address.issuer}u/{name}?state={self.handle}"

    def form_token(self) -> str:
        return form_token(self.runtime.vault, self.browser, self.handle)


async def waiting_authorization(request: Request) -> Waiting | Response:
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    tenant = await load_tenant(runtime, context.address.tenant_id)
    handle = _handle(request)
    browser = browser_cookie(request, context.address)
    found = None
    if handle and browser:
        found = await runtime.store.read(
            tenant.id, context.caller(), authorize.find_pending, handle, browser
        )
    if found is None or handle is None or browser is None or found.issuer != context.address.issuer:
        return await _begin_again(runtime, context, tenant, handle) or refused(
            request, tenant, _EXPIRED
        )
    application = await runtime.configuration.get(
        tenant.id, applications.find_by_client_id, found.client_id
    )
    if application is None:
        return refused(request, tenant, _EXPIRED)
    asked = AuthorizationRequest.from_json(found.request)
    subject = await subject_of(runtime, context.address, application, asked.audience)
    organization = None
    if asked.organization_id is not None:
        organization = await runtime.configuration.get(
            tenant.id, organizations.find, asked.organization_id
        )
    return Waiting(
        runtime,
        context,
        tenant,
        application,
        subject,
        found,
        handle,
        browser,
        state_cookie(request, context.address),
        organization,
    )


async def _begin_again(
    runtime: Runtime, context: RequestContext, tenant: TenantFacts, handle: str | None
) -> Response | None:
    """Back to the application, which may begin a new sign-in (OpenID Connect Core §4)."""
    client_id = handle and await runtime.store.read(
        tenant.id, context.caller(), authorize.client_id_of, handle
    )
    if not client_id:
        return None
    application = await runtime.configuration.get(
        tenant.id, applications.find_by_client_id, client_id
    )
    own = application.initiate_login_uri if application else None
    begins_at = own or tenant.initiate_login_uri
    if begins_at is None:
        return None
    return see_other(with_query(begins_at, {"iss": context.address.issuer}))


def _handle(request: Request) -> str | None:
    try:
        return query_parameters(request).get("state")
    except OAuthError:
        return None


def refused(request: Request, tenant: TenantFacts, description: str, status: int = 400) -> Response:
    return error_response_page(request, tenant, "invalid_request", description, status)


async def posted_form(request: Request, waiting: Waiting) -> Parameters | Response:
    try:
        parameters = await form_parameters(request)
        token = parameters.get("form_token")
    except OAuthError as error:
        return refused(request, waiting.tenant, error.description, error.status)
    if not is_form_token(waiting.runtime.vault, token, waiting.browser, waiting.handle):
        return refused(request, waiting.tenant, _FORGED, 403)
    return parameters


async def resume(waiting: Waiting) -> Response:
    outcome = await waiting.runtime.store.write(
        waiting.tenant.id,
        waiting.context.caller(),
        authorize.resume,
        waiting.subject,
        waiting.found,
        waiting.handle,
    )
    return await answer(
        waiting.runtime, outcome, waiting.tenant, waiting.context, waiting.browser_state
    )
