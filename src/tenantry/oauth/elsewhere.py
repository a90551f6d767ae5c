"""RFC 8628 §3.3 and CIBA Core §7.3: what an answer means for who waits without a redirect URI.

Law: an authorization that a device or an application at the back began ends here, and never at
a redirect URI.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.facts import UserFacts
from tenantry.oauth import device_outcome, rar
from tenantry.oauth.authorization_request import AuthorizationRequest
from tenantry.oauth.device_outcome import DeviceAnswered
from tenantry.oauth.standing import Standing, Subject
from tenantry.rules.authorization import Granted
from tenantry.services import backchannel_requests as answers
from tenantry.store import authorizations, backchannel_requests, sessions
from tenantry.store.audit import Event, record
from tenantry.store.authorizations import AuthorizationFacts, AuthorizationState
from tenantry.store.unit_of_work import TenantSession

_FAILED = "This request was answered already, or it has expired."
_FOREIGN = "This request is for somebody else. Open the link again to sign in as that person."


@dataclass(frozen=True, slots=True)
class ApprovalAnswered:
    """The end of an approval: given, refused by the person, or the reason why not."""

    approved: bool
    description: str = ""


Answered = DeviceAnswered | ApprovalAnswered


def approve(
    db: TenantSession,
    subject: Subject,
    request: AuthorizationRequest,
    authorization: AuthorizationFacts,
    standing: Standing,
) -> Answered:
    """The person allowed it; whoever waits asks for the tokens itself."""
    scopes = standing.decision.scopes if isinstance(standing.decision, Granted) else ()
    if standing.user is None:
        raise ValueError("somebody answers for a device or an application")
    done = {"state": AuthorizationState.REDEEMED, "scopes": scopes}
    first = authorizations.advance(db, authorization.id, done)
    answered: Answered
    if request.device_id is not None:
        answered = device_outcome.answered_already()
        if first:
            user = standing.user
            answered = device_outcome.approve(db, request.device_id, authorization, user, scopes)
        granted = answered.connected
    else:
        granted = first and _approved(db, request, authorization, scopes)
        answered = ApprovalAnswered(granted, "" if granted else _FAILED)
    if granted:
        note_granted(db, subject, request, standing.user, scopes)
    return answered


def _approved(
    db: TenantSession,
    request: AuthorizationRequest,
    authorization: AuthorizationFacts,
    scopes: tuple[str, ...],
) -> bool:
    found = backchannel_requests.find(db, request.backchannel_id or "")
    if found is None:
        return False
    session_id = authorization.session_id
    session = sessions.find(db, session_id) if session_id else None
    auth_time = authorization.auth_time or db.now
    return answers.approve(db, found, auth_time, session.amr if session else (), scopes)


def deny(
    db: TenantSession,
    request: AuthorizationRequest,
    authorization: AuthorizationFacts,
    error: str,
    description: str,
) -> Answered:
    """Who waits hears of it when it asks next.

    Nobody but the person who was asked refuses a request that named them.
    """
    if request.device_id is not None:
        return device_outcome.deny(db, request.device_id, error, description)
    found = backchannel_requests.find(db, request.backchannel_id or "")
    if found is not None and authorization.user_id not in {None, found.user_id}:
        return ApprovalAnswered(False, _FOREIGN)
    if found is None or (authorization.user_id and not answers.deny(db, found)):
        return ApprovalAnswered(False, _FAILED)
    return ApprovalAnswered(False, description)


def note_granted(
    db: TenantSession,
    subject: Subject,
    request: AuthorizationRequest,
    user: UserFacts,
    scopes: tuple[str, ...],
) -> None:
    """What the log says of any authorization that ended well."""
    record(
        db,
        Event(
            "authorization.granted",
            client_id=request.client_id,
            user_id=user.id,
            details={
                "audience": subject.consent_audience(),
                "scope": " ".join(scopes),
                **rar.told(request.authorization_details, request.linking_id),
            },
        ),
    )
