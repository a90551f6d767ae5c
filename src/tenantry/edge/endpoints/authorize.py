"""`GET` and `POST /authorize`, and how its outcome becomes an answer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.core.facts import ApplicationFacts, SessionFacts, TenantFacts
from tenantry.edge.branding import branding_of
from tenantry.edge.cookies import browser_or_new, session_cookie, set_browser
from tenantry.edge.errors import error_response_page
from tenantry.edge.parse import form_parameters, query_parameters
from tenantry.edge.render import authorization_response, see_other
from tenantry.oauth import authorize
from tenantry.oauth.authorization_request import (
    AuthorizationRequest,
    PageError,
    RedirectError,
    decide_redirect_uri,
    read_client_id,
    read_request,
)
from tenantry.oauth.errors import OAuthError
from tenantry.oauth.standing import Subject
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.interaction import Step
from tenantry.services import sessions
from tenantry.services.apis import find_api
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext, request_context
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.store import applications, installation
from tenantry.store.unit_of_work import INSTALLATION, TenantSession

_PAGES = {Step.LOGIN: "u/login", Step.CONSENT: "u/consent"}


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
    response = answer(outcome, tenant, context)
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
    own = application is not None and await _is_own_page(
        runtime, context, application, parameters.as_mapping().get("redirect_uri", "")
    )
    redirect_uri = decide_redirect_uri(application, parameters, is_own_page=own)
    if application is None:
        raise PageError("invalid_request", "No application has this client_id.")
    ring = await key_ring(runtime, tenant)
    issuer = context.address.issuer
    return read_request(parameters, application, tenant, redirect_uri, ring, issuer), application


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
) -> authorize.Ask | authorize.Respond:
    session: SessionFacts | None = sessions.find_live(db, cookie, subject.issuer)
    if session is not None:
        sessions.touch(db, session)
    return authorize.begin(db, subject, asked, session, browser)


async def subject_of(
    runtime: Runtime, address: TenantAddress, application: ApplicationFacts, audience: str | None
) -> Subject:
    api = None
    if audience is not None:
        api = await find_api(runtime.configuration, runtime.addresses, address.tenant_id, audience)
    return Subject(application, api, address.issuer, address.userinfo_audience)


def issuer_parameter(tenant: TenantFacts, context: RequestContext) -> str | None:
    """RFC 9207 §2, unless the tenant has switched it off."""
    on = tenant.authorization_response_iss_parameter_supported
    return context.address.issuer if on else None


def answer(
    outcome: authorize.Ask | authorize.Respond, tenant: TenantFacts, context: RequestContext
) -> Response:
    """A page of ours, or the answer at the redirect URI."""
    if isinstance(outcome, authorize.Ask):
        page = _PAGES[outcome.step]
        return see_other(f"{context.address.issuer}{page}?state={outcome.handle}")
    return authorization_response(
        outcome.target, outcome.parameters, issuer_parameter(tenant, context)
    )
