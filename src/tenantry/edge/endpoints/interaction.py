"""`/u/login` and `/u/consent`: the pages of an authorization that waits for a person."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.core.facts import SessionFacts
from tenantry.core.ids import new_token
from tenantry.edge.branding import application_view, branding_of, organization_view
from tenantry.edge.cookies import session_cookie, set_session
from tenantry.edge.endpoints.authorize import answer
from tenantry.edge.render import page
from tenantry.edge.waiting import (
    Waiting,
    posted_form,
    refused,
    resume,
    waiting_authorization,
)
from tenantry.oauth import authorize, person
from tenantry.oauth.errors import OAuthError
from tenantry.pages import (
    Asked,
    ConsentView,
    LoginView,
    ScopeText,
    consent_page,
    details_view,
    login_page,
    scope_groups,
)
from tenantry.rules.interaction import Step
from tenantry.services import logins, sessions
from tenantry.services.logins import Proven
from tenantry.store.audit import Event, record
from tenantry.store.unit_of_work import TenantSession

_WRONG = "The username or the password is wrong."
_TOO_MANY = "There were too many attempts to log in. Try again later."


async def login_form(request: Request) -> Response:
    waiting = await waiting_authorization(request)
    if isinstance(waiting, Response):
        return waiting
    store, tenant_id = waiting.runtime.store, waiting.tenant.id
    caller = waiting.context.caller()
    step = await store.read(tenant_id, caller, authorize.next_page, waiting.subject, waiting.found)
    if step is not Step.LOGIN or waiting.is_over:
        return await resume(waiting)
    return _login_page(waiting, waiting.asked.login_hint or "", None)


def _login_page(
    waiting: Waiting, login_hint: str, error: str | None, status: int = 200
) -> Response:
    view = LoginView(
        branding_of(waiting.tenant),
        application_view(waiting.application),
        waiting.action("login"),
        waiting.form_token(),
        login_hint,
        error,
        organization_view(waiting.organization),
    )
    return page(login_page(view), status)


async def login(request: Request) -> Response:
    waiting = await waiting_authorization(request)
    if isinstance(waiting, Response):
        return waiting
    posted = await posted_form(request, waiting)
    if isinstance(posted, Response):
        return posted
    try:
        username, password = posted.get("username") or "", posted.get("password") or ""
    except OAuthError as error:
        return refused(request, waiting.tenant, error.description)
    if waiting.is_over:
        return await resume(waiting)
    runtime, tenant = waiting.runtime, waiting.tenant
    found = await runtime.store.write(
        tenant.id,
        waiting.context.caller(),
        logins.attempt,
        tenant,
        waiting.application.id,
        username,
        organization_id=waiting.asked.organization_id,
    )
    if isinstance(found, logins.TooManyAttempts):
        await _audit_failure(waiting, None)
        response = _login_page(waiting, username, _TOO_MANY, 429)
        response.headers["Retry-After"] = str(found.retry_after)
        return response
    proven = await logins.prove(runtime, found, password)
    result = None
    if proven is not None:
        result = await runtime.store.write(
            tenant.id,
            waiting.context.caller(),
            _complete_login,
            waiting,
            proven,
            username,
            session_cookie(request, waiting.context.address),
        )
    if result is None:
        user = logins.meant(found)
        await _audit_failure(waiting, user.id if user else None)
        return _login_page(waiting, username, _WRONG, 400)
    outcome, cookie = result
    browser_state = new_token()
    response = await answer(runtime, outcome, tenant, waiting.context, browser_state)
    set_session(response, waiting.context.address, cookie, browser_state, tenant.session_lifetime)
    return response


def _complete_login(
    db: TenantSession, waiting: Waiting, proven: Proven, username: str, old_cookie: str | None
) -> tuple[authorize.Outcome, str] | None:
    user = logins.confirm(db, proven, username)
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


async def _audit_failure(waiting: Waiting, user_id: str | None) -> None:
    await waiting.runtime.audit.submit(
        waiting.tenant.id,
        waiting.context.caller(),
        Event("login.failed", client_id=waiting.application.client_id, user_id=user_id),
    )


async def consent_form(request: Request) -> Response:
    waiting = await waiting_authorization(request)
    if isinstance(waiting, Response):
        return waiting
    asked = await waiting.runtime.store.read(
        waiting.tenant.id,
        waiting.context.caller(),
        person.asked_at,
        waiting.subject,
        waiting.found,
        Step.CONSENT,
    )
    if asked is None:
        return await resume(waiting)
    user, scopes = asked
    descriptions = {}
    if waiting.subject.api is not None:
        descriptions = {scope.value: scope.description for scope in waiting.subject.api.scopes}
    name = user.name or user.email or user.username or user.id
    wanted = waiting.asked
    view = ConsentView(
        branding_of(waiting.tenant),
        application_view(waiting.application),
        name,
        waiting.action("consent"),
        waiting.form_token(),
        scope_groups(
            [ScopeText(scope, descriptions.get(scope, "")) for scope in scopes],
            waiting.tenant.use_scope_descriptions_for_consent,
        ),
        is_device=wanted.device_id is not None,
        is_approval=wanted.backchannel_id is not None,
        binding_message=wanted.binding_message or "",
        details=details_view(
            wanted.authorization_details,
            waiting.tenant.customized_consent_template,
            Asked(waiting.application.name, name, wanted.linking_id),
        ),
    )
    return page(consent_page(view))


async def consent(request: Request) -> Response:
    waiting = await waiting_authorization(request)
    if isinstance(waiting, Response):
        return waiting
    posted = await posted_form(request, waiting)
    if isinstance(posted, Response):
        return posted
    decision = posted.as_mapping().get("decision")
    if decision not in {"allow", "deny"} or "decision" in posted.repeated:
        return refused(request, waiting.tenant, "The form says neither allow nor deny.")
    outcome = await waiting.runtime.store.write(
        waiting.tenant.id,
        waiting.context.caller(),
        person.after_consent,
        waiting.subject,
        waiting.found,
        waiting.handle,
        allowed=decision == "allow",
    )
    return await answer(
        waiting.runtime, outcome, waiting.tenant, waiting.context, waiting.browser_state
    )
