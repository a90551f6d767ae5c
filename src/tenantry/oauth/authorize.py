"""RFC 6749 §4.1 and OpenID Connect Core §3: from the request to the answer.

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
from tenantry.oauth import elsewhere, front_channel, rar
from tenantry.oauth.authorization_request import AuthorizationRequest
from tenantry.oauth.elsewhere import Answered
from tenantry.oauth.membership import join
from tenantry.oauth.response_target import ResponseTarget
from tenantry.oauth.standing import Standing, Subject, stand
from tenantry.oauth.user_tokens import FrontChannel, FrontChannelClient, UserGrant
from tenantry.rules.authorization import Granted, Refused
from tenantry.rules.compliance import code_lifetime
from tenantry.rules.interaction import Step
from tenantry.store import authorizations
from tenantry.store.audit import Event, record
from tenantry.store.authorizations import AuthorizationFacts, AuthorizationState
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens.issue import new_family_id

CODE_PURPOSE = "authorization code"
HANDLE_PURPOSE = "authorization handle"
BROWSER_PURPOSE = "browser"
CODE_LIFETIME = timedelta(seconds=300)
PENDING_LIFETIME = timedelta(hours=1)
PAGES = frozenset({Step.ORGANIZATION, Step.LOGIN, Step.SELECT_ACCOUNT, Step.CONSENT, Step.CONFIRM})


@dataclass(frozen=True, slots=True)
class Respond:
    """The answer for the application: a code and tokens, or an error."""

    target: ResponseTarget
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ask:
    """The person is needed: the step, and the handle of its page."""

    step: Step
    handle: str


Outcome = Ask | Respond | Answered


def begin(
    db: TenantSession,
    subject: Subject,
    request: AuthorizationRequest,
    session: SessionFacts | None,
    browser: str,
    handle: str | None = None,
) -> Outcome:
    """Stores the authorization and answers at once where nobody needs to be asked."""
    linking_id = rar.linking_id(request.authorization_details, subject.api)
    request = replace(request, linking_id=linking_id)
    authorization = replace(
        unanswered(db, subject, request),
        browser_digest=db.vault.digest(browser, BROWSER_PURPOSE),
        session_id=session.id if session else None,
        user_id=session.user_id if session else request.linked_user_id,
        auth_time=session.auth_time if session else db.now if request.linked_user_id else None,
    )
    standing = stand(db, subject, request, authorization, session)
    if standing.user is None:
        authorization = replace(authorization, session_id=None, user_id=None, auth_time=None)
    handle = handle or new_token()
    authorizations.create(db, authorization, db.vault.digest(handle, HANDLE_PURPOSE))
    return proceed(db, subject, request, authorization, standing, handle)


def unanswered(
    db: TenantSession, subject: Subject, request: AuthorizationRequest
) -> AuthorizationFacts:
    """An authorization of nobody yet."""
    return AuthorizationFacts(
        id=new_id(),
        state=AuthorizationState.PENDING,
        issuer=subject.issuer,
        client_id=request.client_id,
        request=request.to_json(),
        browser_digest=None,
        session_id=None,
        user_id=None,
        auth_time=None,
        authenticated_at=None,
        consented=False,
        scopes=(),
        code_expires_at=None,
        consumed_at=None,
        family_id=None,
        created_at=db.now,
        expires_at=db.now + PENDING_LIFETIME,
    )


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
) -> Outcome:
    """What the stored authorization needs now."""
    request = AuthorizationRequest.from_json(authorization.request)
    standing = stand(db, subject, request, authorization)
    return proceed(db, subject, request, authorization, standing, handle)


def after_login(
    db: TenantSession,
    subject: Subject,
    authorization: AuthorizationFacts,
    session: SessionFacts,
    handle: str,
) -> Outcome:
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


def next_page(db: TenantSession, subject: Subject, authorization: AuthorizationFacts) -> Step:
    """The step that an authorization waits for."""
    request = AuthorizationRequest.from_json(authorization.request)
    return stand(db, subject, request, authorization).step


def proceed(
    db: TenantSession,
    subject: Subject,
    request: AuthorizationRequest,
    authorization: AuthorizationFacts,
    standing: Standing,
    handle: str,
) -> Outcome:
    if _enters(standing) and standing.user and join(db, request, standing.user):
        standing = stand(db, subject, request, authorization)
    decision, step = standing.decision, standing.step
    if isinstance(decision, Refused):
        return refuse(db, request, authorization, decision.error, decision.description)
    if step in PAGES:
        return Ask(step, handle)
    if step is not Step.ISSUE or standing.user is None:
        return refuse(db, request, authorization, step.value, "The person must be asked.")
    if request.is_answered_elsewhere:
        return elsewhere.approve(db, subject, request, authorization, standing)
    return _issue(db, subject, request, authorization, standing, (standing.user, decision))


def _enters(standing: Standing) -> bool:
    """Whether the person who stands before an organization has signed in for this request."""
    waits = {Step.LOGIN, Step.SELECT_ACCOUNT, Step.LOGIN_REQUIRED}
    granted = isinstance(standing.decision, Granted) and standing.organization is not None
    return granted and standing.step not in waits


def _issue(
    db: TenantSession,
    subject: Subject,
    request: AuthorizationRequest,
    authorization: AuthorizationFacts,
    standing: Standing,
    granted: tuple[UserFacts, Granted],
) -> Outcome:
    """Claims the authorization, then makes the parts of the answer (RFC 6749 §4.1.2, §4.2.2)."""
    user, decision = granted
    code = new_token() if request.answer.has_code else None
    changes: dict[str, Any] = {"state": AuthorizationState.REDEEMED, "scopes": decision.scopes}
    if code is not None:
        lifetime = code_lifetime(subject.application, CODE_LIFETIME)
        expiry = {"code_expires_at": db.now + lifetime}
        changes |= {"state": AuthorizationState.ISSUED} | expiry
    digest = db.vault.digest(code, CODE_PURPOSE) if code else None
    if not authorizations.advance(db, authorization.id, changes, digest):
        return refuse(db, request, authorization, "access_denied", "It was answered already.")
    elsewhere.note_granted(db, subject, request, user, decision.scopes)
    fields = {"code": code} if code else {}
    if request.answer.in_front:
        grant = _front_channel_grant(db, subject, request, authorization, granted, code)
        grant = replace(grant, organization=standing.organization)
        fields |= front_channel.issue(db, subject.address, grant, subject.ring)
    return Respond(request.target, fields)


def _front_channel_grant(
    db: TenantSession,
    subject: Subject,
    request: AuthorizationRequest,
    authorization: AuthorizationFacts,
    granted: tuple[UserFacts, Granted],
    code: str | None,
) -> UserGrant:
    user, decision = granted
    return UserGrant(
        grant_type=front_channel.GRANT_TYPE,
        client=FrontChannelClient(subject.application),
        user=user,
        api=decision.api,
        scopes=decision.scopes,
        session_id=authorization.session_id,
        auth_time=authorization.auth_time or db.now,
        nonce=request.nonce,
        family_id=new_family_id(),
        wanted=request.wanted,
        front_channel=FrontChannel(request.answer, code, request.state),
    )


def refuse(
    db: TenantSession,
    request: AuthorizationRequest,
    authorization: AuthorizationFacts,
    error: str,
    description: str,
) -> Respond | Answered:
    authorizations.advance(db, authorization.id, {"state": AuthorizationState.REFUSED})
    record(
        db,
        Event(
            "authorization.refused",
            client_id=request.client_id,
            user_id=authorization.user_id,
            details={
                "error": error,
                **rar.told(request.authorization_details, request.linking_id),
            },
        ),
    )
    if request.is_answered_elsewhere:
        return elsewhere.deny(db, request, authorization, error, description)
    return Respond(request.target, {"error": error, "error_description": description})
