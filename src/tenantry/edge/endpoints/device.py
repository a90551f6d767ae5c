"""`POST /oauth/device/code` and `/u/device`: where a device asks, and where a person answers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.core.facts import TenantFacts
from tenantry.edge.branding import branding_of
from tenantry.edge.client import authenticated_client
from tenantry.edge.cookies import browser_cookie, browser_or_new, session_cookie, set_browser
from tenantry.edge.endpoints.authorize import answer
from tenantry.edge.errors import error_response_page
from tenantry.edge.form_token import form_token, is_form_token
from tenantry.edge.parse import form_parameters, query_parameters, token_parameters
from tenantry.edge.render import NO_STORE, json_response, page
from tenantry.oauth import device
from tenantry.oauth.admitted_request import subject_of
from tenantry.oauth.errors import OAuthError
from tenantry.pages import DeviceView, device_page
from tenantry.services.management_access import load_tenant
from tenantry.services.request import acts_for, request_context
from tenantry.services.runtime import Runtime
from tenantry.store import applications

_FORM = "device"
_MAX_SHOWN = 64
_WRONG = "This code is wrong or has expired. Check what your device shows."
_TOO_MANY = "There were too many wrong codes. Try again later."
_FORGED = "The form was not sent from this page. Go back and try again."


async def codes(request: Request) -> Response:
    """RFC 8628 §3.1."""
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    parameters = await token_parameters(request)
    parameters.refuse_repetition()
    client = await authenticated_client(runtime, context, request, parameters)
    acts_for(request.scope, client.application)
    made = await device.request_codes(runtime, context, client, parameters)
    return json_response(made, 200, NO_STORE)


async def code_form(request: Request) -> Response:
    """RFC 8628 §3.3 and §3.3.1: the code of the link is shown, so that it can be compared."""
    tenant = await _tenant(request)
    try:
        user_code = query_parameters(request).get("user_code") or ""
    except OAuthError as error:
        return _refused(request, tenant, error.description, error.status)
    return _form(request, tenant, user_code)


async def code_typed(request: Request) -> Response:
    """From the code to the first step of the authorization that answers it."""
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    tenant = await _tenant(request)
    try:
        posted = await form_parameters(request)
        token, typed = posted.get("form_token"), posted.get("user_code") or ""
    except OAuthError as error:
        return _refused(request, tenant, error.description, error.status)
    browser = browser_cookie(request, context.address)
    if browser is None or not is_form_token(runtime.vault, token, browser, _FORM):
        return _refused(request, tenant, _FORGED, 403)
    found = await runtime.store.write(
        tenant.id, context.caller(), device.find_waiting, typed, context.address.issuer
    )
    if isinstance(found, device.TooManyGuesses):
        response = _form(request, tenant, "", _TOO_MANY, 429)
        response.headers["Retry-After"] = str(found.retry_after)
        return response
    if found is None:
        return _form(request, tenant, typed, _WRONG, 400)
    application = await runtime.configuration.get(
        tenant.id, applications.find_by_client_id, found.client_id
    )
    if application is None:
        return _form(request, tenant, typed, _WRONG, 400)
    subject = await subject_of(runtime, context.address, application, found.audience)
    outcome = await runtime.store.write(
        tenant.id,
        context.caller(),
        device.begin,
        subject,
        found,
        session_cookie(request, context.address),
        browser,
    )
    response = await answer(runtime, outcome, tenant, context)
    set_browser(response, context.address, browser)
    return response


async def _tenant(request: Request) -> TenantFacts:
    runtime: Runtime = request.scope["tenantry.runtime"]
    return await load_tenant(runtime, request_context(request.scope).address.tenant_id)


def _form(
    request: Request,
    tenant: TenantFacts,
    user_code: str,
    error: str | None = None,
    status: int = 200,
) -> Response:
    runtime: Runtime = request.scope["tenantry.runtime"]
    address = request_context(request.scope).address
    browser = browser_or_new(request, address)
    view = DeviceView(
        branding_of(tenant),
        f"{address.issuer}u/device",
        form_token(runtime.vault, browser, _FORM),
        user_code[:_MAX_SHOWN],
        error,
    )
    response = page(device_page(view), status)
    set_browser(response, address, browser)
    return response


def _refused(request: Request, tenant: TenantFacts, description: str, status: int) -> Response:
    return error_response_page(request, tenant, "invalid_request", description, status)
