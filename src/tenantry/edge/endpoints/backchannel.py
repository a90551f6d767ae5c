"""`POST /bc-authorize` and `/u/approval`: where an application asks, and where a person answers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.core.backchannel import BackchannelRequestFacts
from tenantry.core.facts import ApplicationFacts, TenantFacts
from tenantry.edge.branding import application_view, branding_of
from tenantry.edge.client import authenticated_client
from tenantry.edge.cookies import browser_cookie, browser_or_new, session_cookie, set_browser
from tenantry.edge.endpoints.authorize import answer
from tenantry.edge.errors import error_response_page
from tenantry.edge.form_token import form_token, is_form_token
from tenantry.edge.parse import form_parameters, query_parameters, token_parameters
from tenantry.edge.render import NO_STORE, json_response, page
from tenantry.oauth import ciba, ciba_approval
from tenantry.oauth.admitted_request import subject_of
from tenantry.oauth.errors import OAuthError
from tenantry.pages import ApprovalView, approval_page
from tenantry.services.management_access import load_tenant
from tenantry.services.request import acts_for, request_context
from tenantry.services.runtime import Runtime
from tenantry.store import applications

_FORM = "approval"
_OVER = "This link has served, has expired, or was never made here."
_FORGED = "The form was not sent from this page. Open the link again."


async def authentication(request: Request) -> Response:
    """CIBA Core §7."""
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    parameters = await token_parameters(request)
    parameters.refuse_repetition()
    client = await authenticated_client(runtime, context, request, parameters)
    acts_for(request.scope, client.application)
    made = await ciba.request_authentication(runtime, context, client, parameters)
    return json_response(made, 200, NO_STORE)


async def approval_form(request: Request) -> Response:
    """What the link of a message opens: who asks. It changes nothing."""
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    tenant = await load_tenant(runtime, context.address.tenant_id)
    try:
        ticket = query_parameters(request).get("ticket") or ""
    except OAuthError as error:
        return _refused(request, tenant, error.description, error.status)
    found = await _waiting(request, ticket)
    if found is None:
        return _refused(request, tenant, _OVER)
    browser = browser_or_new(request, context.address)
    view = ApprovalView(
        branding_of(tenant),
        application_view(found[1]),
        f"{context.address.issuer}u/approval",
        form_token(runtime.vault, browser, f"{_FORM} {ticket}"),
        ticket,
    )
    response = page(approval_page(view))
    set_browser(response, context.address, browser)
    return response


async def approval(request: Request) -> Response:
    """From the link to the first step of the authorization that answers it."""
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    tenant = await load_tenant(runtime, context.address.tenant_id)
    try:
        posted = await form_parameters(request)
        token, ticket = posted.get("form_token"), posted.get("ticket") or ""
    except OAuthError as error:
        return _refused(request, tenant, error.description, error.status)
    browser = browser_cookie(request, context.address)
    if browser is None or not is_form_token(runtime.vault, token, browser, f"{_FORM} {ticket}"):
        return _refused(request, tenant, _FORGED, 403)
    found = await _waiting(request, ticket)
    if found is None:
        return _refused(request, tenant, _OVER)
    subject = await subject_of(runtime, context.address, found[1], found[0].audience)
    outcome = await runtime.store.write(
        tenant.id,
        context.caller(),
        ciba_approval.begin,
        subject,
        found[0],
        session_cookie(request, context.address),
        browser,
    )
    response = await answer(runtime, outcome, tenant, context)
    set_browser(response, context.address, browser)
    return response


async def _waiting(
    request: Request, ticket: str
) -> tuple[BackchannelRequestFacts, ApplicationFacts] | None:
    """The request behind the link, and who asks."""
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    tenant_id, issuer = context.address.tenant_id, context.address.issuer
    found = await runtime.store.read(
        tenant_id, context.caller(), ciba_approval.find_waiting, ticket, issuer
    )
    if found is None:
        return None
    application = await runtime.configuration.get(
        tenant_id, applications.find_by_client_id, found.client_id
    )
    return (found, application) if application else None


def _refused(
    request: Request, tenant: TenantFacts, description: str, status: int = 400
) -> Response:
    return error_response_page(request, tenant, "invalid_request", description, status)
