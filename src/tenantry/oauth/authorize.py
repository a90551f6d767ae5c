"""RFC 6749 §4.1 and OpenID Connect Core §3.1.2: from the request to the code.

Law: an authorization is one stored transaction. Login and consent are steps of it, decided anew
by `rules.interaction` each time, so that no other URL leads around them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from tenantry.core.facts import (
    SessionFacts,
    UserFacts,
)
from tenantry.core.ids import new_id, new_token
from tenantry.oauth.authorization_request import AuthorizationRequest, ResponseTarget
from tenantry.oauth.standing import Standing, Subject, stand
from tenantry.rules.authorization import Granted, Refused
from tenantry.rules.interaction import Step
from tenantry.store import authorizations, consents
from tenantry.store.audit import Event, record
from tenantry.store.authorizations import AuthorizationFacts, AuthorizationState
from tenantry.store.unit_of_work import TenantSession

CODE_PURPOSE = "authorization code"
HANDLE_PURPOSE = "authorization handle"
BROWSER_PURPOSE = "browser"
CODE_LIFETIME = timedelta(seconds=300)
PENDING_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Respond:
    """The answer for the application: a code, or an error."""

    target: ResponseTarget
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ask:
    """The person is needed: the step, and the handle of its page."""

    step: Step
    handle: str


def begin(
    db: TenantSession,
    subject: Subject,
    request: AuthorizationRequest,
    session: SessionFacts | None,
    browser: str,
) -> Ask | Respond:
    """Stores the authorization and answers at once where nobody needs to be asked."""
    authorization = AuthorizationFacts(
        id=new_id(),
        state=AuthorizationState.PENDING,
        issuer=subject.issuer,
        client_id=request.client_id,
        request=request.to_json(),
        browser_digest=db.vault.digest(browser, BROWSER_PURPOSE),
        session_id=session.id if session else None,
        user_id=session.user_id if session else None,
        auth_time=session.auth_time if session else None,
        authenticated_at=None,
        consented=False,
        scopes=(),
        code_expires_at=None,
        consumed_at=None,
        family_id=None,
        created_at=db.now,
        expires_at=db.now + PENDING_LIFETIME,
    )
    standing = stand(db, subject, request, authorization)
    if standing.user is None:
        authorization = replace(authorization, session_id=None, user_id=None, auth_time=None)
    handle = new_token()
    authorizations.create(db, authorization, db.vault.digest(handle, HANDLE_PURPOSE))
    return _proceed(db, subject, request, authorization, standing, handle)


def find_pending(db: TenantSession, handle: str, browser: str) -> AuthorizationFacts | None:
    """The authorization behind a page: waiting, in time, and of this browser."""
    found = authorizations.find_by_handle(db, db.vault.digests(handle, HANDLE_PURPOSE))
    if found is None or found.state is not AuthorizationState.PENDING:
        return None
    if found.expires_at <= db.now or found.browser_digest is None:
        return None
    return found if db.vault.matches(browser, found.browser_digest, BROWSER_PURPOSE) else None


def client_id_of(db: TenantSession, handle: str) -> str | None:
    """Whose authorization a page was for, over or not."""
    found = authorizations.find_by_handle(db, db.vault.digests(handle, HANDLE_PURPOSE))
    return found.client_id if found else None


def resume(
    db: TenantSession, subject: Subject, authorization: AuthorizationFacts, handle: str
) -> Ask | Respond:
    """What the stored authorization needs now."""
    request = AuthorizationRequest.from_json(authorization.request)
    standing = stand(db, subject, request, authorization)
    return _proceed(db, subject, request, authorization, standing, handle)


def after_login(
    db: TenantSession,
    subject: Subject,
    authorization: AuthorizationFacts,
    session: SessionFacts,
    handle: str,
) -> Ask | Respond:
    """The person has just proved who they are."""
    changes: dict[str, Any] = {
        "session_id": session.id,
        "user_id": session.user_id,
        "auth_time": session.auth_time,
        "authenticated_at": db.now,
        "consented": False,
    }
    authorizations.advance(db, authorization.id, changes)
    return resume(db, subject, replace(authorization, **changes), handle)


def after_consent(
    db: TenantSession,
    subject: Subject,
    authorization: AuthorizationFacts,
    handle: str,
    *,
    allowed: bool,
) -> Ask | Respond:
    """The person has answered; only a signed-in one is heard."""
    request = AuthorizationRequest.from_json(authorization.request)
    standing = stand(db, subject, request, authorization)
    if standing.step is not Step.CONSENT or standing.user is None:
        return _proceed(db, subject, request, authorization, standing, handle)
    if not allowed:
        return _refuse(db, request, authorization, "access_denied", "The person refused.")
    if isinstance(standing.decision, Granted):
        consents.add_scopes(
            db,
            standing.user.id,
            request.client_id,
            subject.consent_audience(),
            standing.decision.scopes,
        )
        record(
            db,
            Event(
                "consent.given",
                client_id=request.client_id,
                user_id=standing.user.id,
                details={
                    "audience": subject.consent_audience(),
                    "scope": " ".join(standing.decision.scopes),
                },
            ),
        )
    authorizations.advance(db, authorization.id, {"consented": True})
    return resume(db, subject, replace(authorization, consented=True), handle)


def scopes_to_allow(
    db: TenantSession, subject: Subject, authorization: AuthorizationFacts
) -> tuple[UserFacts, tuple[str, ...]] | None:
    """Who is asked for consent, and for what; None where consent is not the next step."""
    request = AuthorizationRequest.from_json(authorization.request)
    standing = stand(db, subject, request, authorization)
    if standing.step is not Step.CONSENT or standing.user is None:
        return None
    scopes = standing.decision.scopes if isinstance(standing.decision, Granted) else ()
    return standing.user, scopes


def next_page(db: TenantSession, subject: Subject, authorization: AuthorizationFacts) -> Step:
    """The step that an authorization waits for."""
    request = AuthorizationRequest.from_json(authorization.request)
    return stand(db, subject, request, authorization).step


def _proceed(
    db: TenantSession,
    subject: Subject,
    request: AuthorizationRequest,
    authorization: AuthorizationFacts,
    standing: Standing,
    handle: str,
) -> Ask | Respond:
    decision, step = standing.decision, standing.step
    if isinstance(decision, Refused):
        return _refuse(db, request, authorization, decision.error, decision.description)
    if step in {Step.LOGIN, Step.CONSENT}:
        return Ask(step, handle)
    if step is not Step.ISSUE or standing.user is None:
        return _refuse(db, request, authorization, step.value, "The person must be asked.")
    code = new_token()
    issued = authorizations.advance(
        db,
        authorization.id,
        {
            "state": AuthorizationState.ISSUED,
            "scopes": decision.scopes,
            "code_expires_at": db.now + CODE_LIFETIME,
        },
        db.vault.digest(code, CODE_PURPOSE),
    )
    if not issued:
        return _refuse(db, request, authorization, "access_denied", "It was answered already.")
    record(
        db,
        Event(
            "authorization.granted",
            client_id=request.client_id,
            user_id=standing.user.id,
            details={
                "audience": subject.consent_audience(),
                "scope": " ".join(decision.scopes),
            },
        ),
    )
    return Respond(request.target, {"code": code})


def _refuse(
    db: TenantSession,
    request: AuthorizationRequest,
    authorization: AuthorizationFacts,
    error: str,
    description: str,
) -> Respond:
    authorizations.advance(db, authorization.id, {"state": AuthorizationState.REFUSED})
    record(
        db,
        Event(
            "authorization.refused",
            client_id=request.client_id,
            user_id=authorization.user_id,
            details={"error": error},
        ),
    )
    return Respond(request.target, {"error": error, "error_description": description})
