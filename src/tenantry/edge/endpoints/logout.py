"""`/oidc/logout`, `/v2/logout` and the confirmation form behind them."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from tenantry.core.facts import SessionClientFacts, SessionFacts, TenantFacts
from tenantry.edge.branding import application_view, branding_of
from tenantry.edge.cookies import (
    browser_cookie,
    browser_or_new,
    clear_session,
    session_cookie,
    set_browser,
)
from tenantry.edge.errors import error_response_page
from tenantry.edge.form_token import form_token, is_form_token
from tenantry.edge.parse import form_parameters, query_parameters
from tenantry.edge.render import page, see_other, with_query
from tenantry.oauth import frontchannel_logout
from tenantry.oauth import logout as protocol
from tenantry.oauth.errors import OAuthError
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.response_target import PageError
from tenantry.pages import (
    LogoutView,
    SignedOutView,
    headers_with_frames,
    logout_page,
    signed_out_page,
)
from tenantry.rules.custom_domain_urls import at_domain
from tenantry.services import sessions
from tenantry.services.client_secrets import shared_secret
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext, request_context
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.store import applications

_FORM_SUBJECT = "logout"
_RP_INITIATED = "post_logout_redirect_uri"
_RETURN_TO = "returnTo"


async def rp_initiated(request: Request) -> Response:
    """`GET` and `POST /oidc/logout`."""
    return await _logout(request, _RP_INITIATED, confirmed=False)


async def return_to(request: Request) -> Response:
    """`GET /v2/logout`: the application is named, the person is not asked."""
    return await _logout(request, _RETURN_TO, confirmed=True)


async def confirm(request: Request) -> Response:
    """`POST /u/logout`: the person has agreed."""
    return await _logout(request, _RP_INITIATED, confirmed=True, form=True)


async def _logout(
    request: Request, redirect_parameter: str, *, confirmed: bool, form: bool = False
) -> Response:
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    tenant = await load_tenant(runtime, context.address.tenant_id)
    try:
        parameters = await _parameters(request)
        if form:
            _require_form_token(runtime, context, request, parameters)
        asked = await _read(runtime, context, tenant, parameters, redirect_parameter)
    except (PageError, OAuthError) as error:
        status = error.status if isinstance(error, OAuthError) else 400
        return error_response_page(request, tenant, error.error, error.description, status)
    session = await runtime.store.read(
        tenant.id,
        context.caller(),
        sessions.find_live,
        session_cookie(request, context.address),
        context.address.issuer,
    )
    if not confirmed and protocol.needs_confirmation(runtime.vault, asked, tenant, session):
        return _confirmation(request, runtime, context, tenant, asked)
    return await _end(runtime, context, tenant, asked, session)


async def _parameters(request: Request) -> Parameters:
    if request.method == "POST":
        parameters = await form_parameters(request)
    else:
        parameters = query_parameters(request)
    parameters.refuse_repetition()
    return parameters


def _require_form_token(
    runtime: Runtime, context: RequestContext, request: Request, parameters: Parameters
) -> None:
    browser = browser_cookie(request, context.address)
    if not is_form_token(runtime.vault, parameters.get("form_token"), browser, _FORM_SUBJECT):
        raise OAuthError("invalid_request", "The form was not sent from this page.", 403)


async def _read(
    runtime: Runtime,
    context: RequestContext,
    tenant: TenantFacts,
    parameters: Parameters,
    redirect_parameter: str,
) -> protocol.LogoutRequest:
    ring = await key_ring(runtime, tenant)
    signer = await runtime.configuration.get(
        tenant.id, applications.find_by_client_id, protocol.unverified_client_id(parameters)
    )
    shared = shared_secret(runtime.vault, tenant.id, signer)
    hint = protocol.read_hint(parameters, ring, context.address.issuer, shared)
    client_id = protocol.client_id_of(parameters, hint)
    application = None
    if client_id is not None:
        application = await runtime.configuration.get(
            tenant.id, applications.find_by_client_id, client_id
        )
        if application is None:
            raise PageError("invalid_request", "No application has this client_id.")
        application = at_domain(application, context.address.domain)
    return protocol.read_request(parameters, tenant, application, hint, redirect_parameter)


def _confirmation(
    request: Request,
    runtime: Runtime,
    context: RequestContext,
    tenant: TenantFacts,
    asked: protocol.LogoutRequest,
) -> Response:
    browser = browser_or_new(request, context.address)
    fields = {
        "client_id": asked.application.client_id if asked.application else None,
        _RP_INITIATED: asked.redirect_uri,
        "state": asked.state,
    }
    view = LogoutView(
        branding_of(tenant),
        application_view(asked.application) if asked.application else None,
        f"{context.address.issuer}u/logout",
        form_token(runtime.vault, browser, _FORM_SUBJECT),
        {name: value for name, value in fields.items() if value is not None},
    )
    response = page(logout_page(view))
    set_browser(response, context.address, browser)
    return response


async def _frames(
    runtime: Runtime,
    tenant: TenantFacts,
    session: SessionFacts,
    told: Sequence[SessionClientFacts],
) -> tuple[str, ...]:
    found = {}
    for client_id in {one.client_id for one in told}:
        application = await runtime.configuration.get(
            tenant.id, applications.find_by_client_id, client_id
        )
        if application is not None:
            found[client_id] = application
    return frontchannel_logout.frames(session.issuer, told, found)


async def _end(
    runtime: Runtime,
    context: RequestContext,
    tenant: TenantFacts,
    asked: protocol.LogoutRequest,
    session: SessionFacts | None,
) -> Response:
    frames: tuple[str, ...] = ()
    if session is not None:
        client_id = asked.application.client_id if asked.application else None
        told = await runtime.store.write(
            tenant.id, context.caller(), sessions.end, session, client_id
        )
        frames = await _frames(runtime, tenant, session, told)
    target = None
    if asked.redirect_uri is not None:
        state = {"state": asked.state} if asked.state is not None else {}
        target = with_query(asked.redirect_uri, state)
    if target is not None and not frames:
        response = see_other(target)
    else:
        view = SignedOutView(branding_of(tenant), frames, target)
        response = page(signed_out_page(view), headers=headers_with_frames(frames))
    clear_session(response, context.address)
    return response
