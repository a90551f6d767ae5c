"""`GET` and `POST /authorize`, and how its outcome becomes an answer."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from tenantry.core.facts import ApplicationFacts, SessionFacts, TenantFacts
from tenantry.edge.branding import branding_of
from tenantry.edge.cookies import browser_or_new, session_cookie, set_browser, state_cookie
from tenantry.edge.errors import error_response_page
from tenantry.edge.parse import form_parameters, query_parameters
from tenantry.edge.render import authorization_response, page, see_other
from tenantry.oauth import authorize, jarm, par, request_object
from tenantry.oauth.admitted_request import admitted, subject_of
from tenantry.oauth.authorization_request import (
    AuthorizationRequest,
    decide_redirect_uri,
    read_client_id,
    response_target,
)
from tenantry.oauth.device_outcome import DeviceAnswered
from tenantry.oauth.elsewhere import ApprovalAnswered
from tenantry.oauth.errors import OAuthError
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.response_target import PageError, RedirectError, ResponseTarget
from tenantry.oauth.session_management import session_state
from tenantry.oauth.standing import Subject
from tenantry.pages import (
    ApprovalAnsweredView,
    DeviceAnsweredView,
    ErrorView,
    approval_answered_page,
    device_answered_page,
    error_page,
)
from tenantry.rules.compliance import in_force
from tenantry.rules.custom_domain_urls import at_domain
from tenantry.rules.interaction import Step
from tenantry.services import sessions
from tenantry.services.compliance import says_issuer
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext, request_context
from tenantry.services.runtime import Runtime
from tenantry.store import applications
from tenantry.store.unit_of_work import TenantSession

_PAGES = {
    Step.ORGANIZATION: "u/organization",
    Step.LOGIN: "u/login",
    Step.SELECT_ACCOUNT: "u/account",
    Step.CONSENT: "u/consent",
    Step.CONFIRM: "u/confirm",
}


async def authorization(request: Request) -> Response:
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    tenant = await load_tenant(runtime, context.address.tenant_id)
    try:
        asked, application, reference = await _read(runtime, context, tenant, request)
    except (PageError, OAuthError) as error:
        return _refused(request, tenant, error)
    except RedirectError as error:
        fields = {"error": error.error, "error_description": error.description}
        return await respond(runtime, tenant, context, error.target, fields)
    browser = browser_or_new(request, context.address)
    subject = await subject_of(runtime, context.address, application, asked.audience)
    try:
        outcome = await runtime.store.write(
            context.address.tenant_id,
            context.caller(),
            _begin,
            subject,
            asked,
            session_cookie(request, context.address),
            browser,
            reference,
        )
    except OAuthError as error:
        return _refused(request, tenant, error)
    response = await answer(
        runtime, outcome, tenant, context, state_cookie(request, context.address)
    )
    set_browser(response, context.address, browser)
    return response


def _refused(request: Request, tenant: TenantFacts, error: PageError | OAuthError) -> Response:
    status = error.status if isinstance(error, OAuthError) else 400
    return error_response_page(request, tenant, error.error, error.description, status)


async def _read(
    runtime: Runtime, context: RequestContext, tenant: TenantFacts, request: Request
) -> tuple[AuthorizationRequest, ApplicationFacts, str | None]:
    """The request, of whom, and the `request_uri` by which it was pushed."""
    if request.method == "POST":
        parameters = await form_parameters(request)
    else:
        parameters = query_parameters(request)
    application = await runtime.configuration.get(
        tenant.id, applications.find_by_client_id, read_client_id(parameters)
    )
    reference = None
    if application is not None:
        application = in_force(at_domain(application, context.address.domain))
        if par.is_pushed(parameters):
            reference = parameters.require("request_uri")
        parameters = await _open(runtime, context, tenant, application, parameters)
    asked = await admitted(runtime, context, tenant, application, parameters)
    if application is None:
        raise PageError("invalid_request", "No application has this client_id.")
    return asked, application, reference


async def _open(
    runtime: Runtime,
    context: RequestContext,
    tenant: TenantFacts,
    application: ApplicationFacts,
    parameters: Parameters,
) -> Parameters:
    """Those of what was pushed, or of a request object; a bad one is told where it may be."""
    try:
        if par.is_pushed(parameters):
            return await par.opened(runtime, context, tenant, application, parameters)
        par.require_pushed(application)
        return await request_object.opened(runtime, context, application, parameters)
    except OAuthError as error:
        try:
            uri, _ = decide_redirect_uri(application, parameters, is_own_page=False)
        except PageError:
            raise error from None
        target, _ = response_target(parameters, application, uri)
        raise RedirectError(target, error.error, error.description) from None


def _begin(
    db: TenantSession,
    subject: Subject,
    asked: AuthorizationRequest,
    cookie: str | None,
    browser: str,
    reference: str | None,
) -> authorize.Outcome:
    session: SessionFacts | None = sessions.find_live(db, cookie, subject.issuer)
    if session is not None:
        sessions.touch(db, session)
    if reference is not None:
        return par.begin(db, subject, asked, session, browser, reference)
    return authorize.begin(db, subject, asked, session, browser)


async def respond(
    runtime: Runtime,
    tenant: TenantFacts,
    context: RequestContext,
    target: ResponseTarget,
    fields: Mapping[str, str],
) -> Response:
    """The answer at the redirect URI, as a JWT where the application asked for that."""
    if not target.is_secured:
        issuer = context.address.issuer if await says_issuer(runtime, tenant) else None
        return authorization_response(target, fields, issuer)
    try:
        target, fields = await jarm.secured(runtime, context, tenant, target, fields)
    except OAuthError as error:
        view = ErrorView(branding_of(tenant), error.error, error.description, "")
        return page(error_page(view), error.status)
    return authorization_response(target, fields, None)


async def answer(
    runtime: Runtime,
    outcome: authorize.Outcome,
    tenant: TenantFacts,
    context: RequestContext,
    browser_state: str = "",
) -> Response:
    """A page of ours, or the answer at the redirect URI with the state of the sign-in."""
    if isinstance(outcome, DeviceAnswered):
        view = DeviceAnsweredView(branding_of(tenant), outcome.connected, outcome.description)
        return page(device_answered_page(view))
    if isinstance(outcome, ApprovalAnswered):
        shown = ApprovalAnsweredView(branding_of(tenant), outcome.approved, outcome.description)
        return page(approval_answered_page(shown))
    if isinstance(outcome, authorize.Ask):
        path = _PAGES[outcome.step]
        return see_other(f"{context.address.issuer}{path}?state={outcome.handle}")
    fields = dict(outcome.parameters)
    state = session_state(outcome.target, browser_state)
    if state is not None:
        fields["session_state"] = state
    return await respond(runtime, tenant, context, outcome.target, fields)
