"""`GET` and `POST /authorize`, and how its outcome becomes an answer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.core.facts import ApplicationFacts, SessionFacts, TenantFacts
from tenantry.edge.branding import branding_of
from tenantry.edge.cookies import browser_or_new, session_cookie, set_browser, state_cookie
from tenantry.edge.errors import error_response_page
from tenantry.edge.parse import form_parameters, query_parameters
from tenantry.edge.render import authorization_response, page, see_other
from tenantry.oauth import authorize, request_object
from tenantry.oauth.authorization_request import (
    AuthorizationRequest,
    PageError,
    RedirectError,
    decide_redirect_uri,
    read_client_id,
    read_request,
    response_target,
)
from tenantry.oauth.device_outcome import DeviceAnswered
from tenantry.oauth.errors import OAuthError
from tenantry.oauth.organizations import read_asked
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.session_management import session_state
from tenantry.oauth.standing import Subject
from tenantry.pages import DeviceAnsweredView, device_answered_page
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.custom_domain_urls import at_domain
from tenantry.rules.interaction import Step
from tenantry.services import sessions
from tenantry.services.apis import find_target
from tenantry.services.client_secrets import shared_secret
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext, request_context
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.store import applications, installation
from tenantry.store.unit_of_work import INSTALLATION, TenantSession

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
        asked, application = await _read(runtime, context, tenant, request)
    except PageError as error:
        return error_response_page(
            request, branding_of(tenant), error.error, error.description, 400
        )
    except OAuthError as error:
        return error_response_page(
            request, branding_of(tenant), error.error, error.description, error.status
        )
    except RedirectError as error:
        fields = {"error": error.error, "error_description": error.description}
        return authorization_response(error.target, fields, issuer_parameter(tenant, context))
    browser = browser_or_new(request, context.address)
    subject = await subject_of(runtime, context.address, application, asked.audience)
    outcome = await runtime.store.write(
        context.address.tenant_id,
        context.caller(),
        _begin,
        subject,
        asked,
        session_cookie(request, context.address),
        browser,
    )
    response = answer(outcome, tenant, context, state_cookie(request, context.address))
    set_browser(response, context.address, browser)
    return response


async def _read(
    runtime: Runtime, context: RequestContext, tenant: TenantFacts, request: Request
) -> tuple[AuthorizationRequest, ApplicationFacts]:
    if request.method == "POST":
        parameters = await form_parameters(request)
    else:
        parameters = query_parameters(request)
    application = await runtime.configuration.get(
        tenant.id, applications.find_by_client_id, read_client_id(parameters)
    )
    if application is not None:
        application = at_domain(application, context.address.domain)
        parameters = await _open(runtime, context, application, parameters)
    own = application is not None and await _is_own_page(
        runtime, context, application, parameters.as_mapping().get("redirect_uri", "")
    )
    within = await read_asked(runtime, context, tenant, parameters)
    redirect_uri = decide_redirect_uri(application, parameters, is_own_page=own, within=within)
    if application is None:
        raise PageError("invalid_request", "No application has this client_id.")
    ring = await key_ring(runtime, tenant)
    issuer = context.address.issuer
    shared = shared_secret(runtime.vault, tenant.id, application)
    asked = read_request(
        parameters, application, tenant, redirect_uri, ring, issuer, shared, within
    )
    return asked, application


async def _open(
    runtime: Runtime,
    context: RequestContext,
    application: ApplicationFacts,
    parameters: Parameters,
) -> Parameters:
    """The parameters of a request object, if there is one; a bad one is told where it may be."""
    try:
        return await request_object.opened(runtime, context, application, parameters)
    except OAuthError as error:
        try:
            uri, _ = decide_redirect_uri(application, parameters, is_own_page=False)
        except PageError:
            raise error from None
        target, _ = response_target(parameters, application, uri)
        raise RedirectError(target, error.error, error.description) from None


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


def _begin(
    db: TenantSession,
    subject: Subject,
    asked: AuthorizationRequest,
    cookie: str | None,
    browser: str,
) -> authorize.Outcome:
    session: SessionFacts | None = sessions.find_live(db, cookie, subject.issuer)
    if session is not None:
        sessions.touch(db, session)
    return authorize.begin(db, subject, asked, session, browser)


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


def issuer_parameter(tenant: TenantFacts, context: RequestContext) -> str | None:
    """RFC 9207 §2, unless the tenant has switched it off."""
    on = tenant.authorization_response_iss_parameter_supported
    return context.address.issuer if on else None


def answer(
    outcome: authorize.Outcome,
    tenant: TenantFacts,
    context: RequestContext,
    browser_state: str = "",
) -> Response:
    """A page of ours, or the answer at the redirect URI with the state of the sign-in."""
    if isinstance(outcome, DeviceAnswered):
        view = DeviceAnsweredView(branding_of(tenant), outcome.connected, outcome.description)
        return page(device_answered_page(view))
    if isinstance(outcome, authorize.Ask):
        path = _PAGES[outcome.step]
        return see_other(f"{context.address.issuer}{path}?state={outcome.handle}")
    fields = dict(outcome.parameters)
    state = session_state(outcome.target, browser_state)
    if state is not None:
        fields["session_state"] = state
    return authorization_response(outcome.target, fields, issuer_parameter(tenant, context))
