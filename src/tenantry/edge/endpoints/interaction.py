"""`/u/login` and `/u/consent`: the pages of an authorization that waits for a person."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from tenantry.core.facts import ApplicationFacts, SessionFacts, TenantFacts
from tenantry.edge.branding import application_view, branding_of
from tenantry.edge.cookies import browser_cookie, session_cookie, set_session
from tenantry.edge.endpoints.authorize import answer, subject_of
from tenantry.edge.errors import error_response_page
from tenantry.edge.form_token import form_token, is_form_token
from tenantry.edge.parse import form_parameters, query_parameters
from tenantry.edge.render import page, see_other, with_query
from tenantry.oauth import authorize
from tenantry.oauth.authorization_request import AuthorizationRequest
from tenantry.oauth.errors import OAuthError
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.standing import Subject
from tenantry.pages import ConsentView, LoginView, ScopeText, consent_page, login_page, scope_groups
from tenantry.rules.interaction import Step
from tenantry.services import logins, sessions
from tenantry.services.logins import Proven
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext, request_context
from tenantry.services.runtime import Runtime
from tenantry.store import applications
from tenantry.store.audit import Event, record
from tenantry.store.authorizations import AuthorizationFacts
from tenantry.store.unit_of_work import TenantSession

_WRONG = "The username or the password is wrong."
_EXPIRED = "This sign-in has expired, was completed, or belongs to another browser."
_FORGED = "The form was not sent from this page. Go back and try again."


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An authorization that waits, with everything that its page needs."""

    runtime: Runtime
    context: RequestContext
    tenant: TenantFacts
    application: ApplicationFacts
    subject: Subject
    found: AuthorizationFacts
    handle: str
    browser: str

    @property
    def asked(self) -> AuthorizationRequest:
        return AuthorizationRequest.from_json(self.found.request)

    def action(self, name: str) -> str:
        return f"{self.context.address.issuer}u/{name}?state={self.handle}"

    def form_token(self) -> str:
        return form_token(self.runtime.vault, self.browser, self.handle)


async def _waiting(request: Request) -> _Waiting | Response:
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
        return await _begin_again(runtime, context, tenant, handle) or _refused(
            request, tenant, _EXPIRED
        )
    application = await runtime.configuration.get(
        tenant.id, applications.find_by_client_id, found.client_id
    )
    if application is None:
        return _refused(request, tenant, _EXPIRED)
    audience = AuthorizationRequest.from_json(found.request).audience
    subject = await subject_of(runtime, context.address, application, audience)
    return _Waiting(runtime, context, tenant, application, subject, found, handle, browser)


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
    if application is None or application.initiate_login_uri is None:
        return None
    issuer = {"iss": context.address.issuer}
    return see_other(with_query(application.initiate_login_uri, issuer))


def _handle(request: Request) -> str | None:
    try:
        return query_parameters(request).get("state")
    except OAuthError:
        return None


def _refused(
    request: Request, tenant: TenantFacts, description: str, status: int = 400
) -> Response:
    return error_response_page(request, branding_of(tenant), "invalid_request", description, status)


async def _posted(request: Request, waiting: _Waiting) -> Parameters | Response:
    try:
        parameters = await form_parameters(request)
        token = parameters.get("form_token")
    except OAuthError as error:
        return _refused(request, waiting.tenant, error.description, error.status)
    if not is_form_token(waiting.runtime.vault, token, waiting.browser, waiting.handle):
        return _refused(request, waiting.tenant, _FORGED, 403)
    return parameters


async def login_form(request: Request) -> Response:
    waiting = await _waiting(request)
    if isinstance(waiting, Response):
        return waiting
    store, tenant_id = waiting.runtime.store, waiting.tenant.id
    caller = waiting.context.caller()
    step = await store.read(tenant_id, caller, authorize.next_page, waiting.subject, waiting.found)
    if step is not Step.LOGIN:
        return await _resume(waiting)
    return _login_page(waiting, waiting.asked.login_hint or "", None)


async def _resume(waiting: _Waiting) -> Response:
    outcome = await waiting.runtime.store.write(
        waiting.tenant.id,
        waiting.context.caller(),
        authorize.resume,
        waiting.subject,
        waiting.found,
        waiting.handle,
    )
    return answer(outcome, waiting.tenant, waiting.context)


def _login_page(
    waiting: _Waiting, login_hint: str, error: str | None, status: int = 200
) -> Response:
    view = LoginView(
        branding_of(waiting.tenant),
        application_view(waiting.application),
        waiting.action("login"),
        waiting.form_token(),
        login_hint,
        error,
    )
    return page(login_page(view), status)


async def login(request: Request) -> Response:
    waiting = await _waiting(request)
    if isinstance(waiting, Response):
        return waiting
    posted = await _posted(request, waiting)
    if isinstance(posted, Response):
        return posted
    try:
        username, password = posted.get("username") or "", posted.get("password") or ""
    except OAuthError as error:
        return _refused(request, waiting.tenant, error.description)
    runtime, tenant = waiting.runtime, waiting.tenant
    found = await runtime.store.read(
        tenant.id,
        waiting.context.caller(),
        logins.candidates,
        tenant,
        waiting.application.id,
        username,
    )
    proven = await logins.prove(runtime, found, password)
    result = None
    if proven is not None:
        result = await runtime.store.write(
            tenant.id,
            waiting.context.caller(),
            _complete_login,
            waiting,
            proven,
            session_cookie(request, waiting.context.address),
        )
    if result is None:
        await _audit_failure(waiting, found[0].user.id if found else None)
        return _login_page(waiting, username, _WRONG, 400)
    outcome, cookie = result
    response = answer(outcome, tenant, waiting.context)
    set_session(response, waiting.context.address, cookie, tenant.session_lifetime)
    return response


def _complete_login(
    db: TenantSession, waiting: _Waiting, proven: Proven, old_cookie: str | None
) -> tuple[authorize.Ask | authorize.Respond, str] | None:
    user = logins.confirm(db, proven)
    if user is None:
        return None
    issuer = waiting.subject.issuer
    replaced: SessionFacts | None = sessions.find_live(db, old_cookie, issuer)
    session, cookie = sessions.begin(db, user, issuer, replaced)
    record(
        db,
        Event(
            "login.succeeded",
            client_id=waiting.application.client_id,
            user_id=user.id,
            target_type="Session",
            target_id=session.id,
        ),
    )
    outcome = authorize.after_login(db, waiting.subject, waiting.found, session, waiting.handle)
    return outcome, cookie


async def _audit_failure(waiting: _Waiting, user_id: str | None) -> None:
    await waiting.runtime.audit.submit(
        waiting.tenant.id,
        waiting.context.caller(),
        Event("login.failed", client_id=waiting.application.client_id, user_id=user_id),
    )


async def consent_form(request: Request) -> Response:
    waiting = await _waiting(request)
    if isinstance(waiting, Response):
        return waiting
    asked = await waiting.runtime.store.read(
        waiting.tenant.id,
        waiting.context.caller(),
        authorize.scopes_to_allow,
        waiting.subject,
        waiting.found,
    )
    if asked is None:
        return await _resume(waiting)
    user, scopes = asked
    descriptions = {}
    if waiting.subject.api is not None:
        descriptions = {scope.value: scope.description for scope in waiting.subject.api.scopes}
    view = ConsentView(
        branding_of(waiting.tenant),
        application_view(waiting.application),
        user.name or user.email or user.username or user.id,
        waiting.action("consent"),
        waiting.form_token(),
        scope_groups(
            [ScopeText(scope, descriptions.get(scope, "")) for scope in scopes],
            waiting.tenant.use_scope_descriptions_for_consent,
        ),
    )
    return page(consent_page(view))


async def consent(request: Request) -> Response:
    waiting = await _waiting(request)
    if isinstance(waiting, Response):
        return waiting
    posted = await _posted(request, waiting)
    if isinstance(posted, Response):
        return posted
    decision = posted.as_mapping().get("decision")
    if decision not in {"allow", "deny"} or "decision" in posted.repeated:
        return _refused(request, waiting.tenant, "The form says neither allow nor deny.")
    outcome = await waiting.runtime.store.write(
        waiting.tenant.id,
        waiting.context.caller(),
        authorize.after_consent,
        waiting.subject,
        waiting.found,
        waiting.handle,
        allowed=decision == "allow",
    )
    return answer(outcome, waiting.tenant, waiting.context)
