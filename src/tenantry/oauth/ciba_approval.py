"""CIBA Core §8: the person who was sent a link looks at the request and answers it.

Law: opening the link changes nothing. A form begins an authorization, in which the person signs
in, unless the tenant waives it, and is always asked; the link has served once there is an answer.
"""

from __future__ import annotations

from tenantry.core.backchannel import BackchannelRequestFacts, BackchannelRequestState
from tenantry.oauth import authorize
from tenantry.oauth.authorization_request import AuthorizationRequest
from tenantry.oauth.standing import Subject
from tenantry.services import sessions
from tenantry.services.backchannel_requests import TICKET_PURPOSE
from tenantry.store import backchannel_requests
from tenantry.store.unit_of_work import TenantSession


def find_waiting(db: TenantSession, ticket: str, issuer: str) -> BackchannelRequestFacts | None:
    """The request behind a link, while it waits and at the address that it was made for."""
    found = backchannel_requests.find_by_ticket(db, db.vault.digests(ticket, TICKET_PURPOSE))
    if found is None or found.issuer != issuer or found.expires_at <= db.now:
        return None
    return found if found.state is BackchannelRequestState.PENDING else None


def begin(
    db: TenantSession,
    subject: Subject,
    found: BackchannelRequestFacts,
    session_cookie: str | None,
    browser: str,
) -> authorize.Outcome:
    """Nobody but the person who is asked gets to the question.

    Where the tenant waives the sign-in, the link alone stands for that person.
    """
    session = sessions.find_live(db, session_cookie, subject.issuer)
    waived = not subject.tenant.require_login_for_approval_links
    if waived and session is not None and session.user_id != found.user_id:
        session = None
    if session is not None:
        sessions.touch(db, session)
    request = AuthorizationRequest(
        client_id=found.client_id,
        redirect_uri="",
        redirect_uri_given=False,
        response_mode="query",
        state=None,
        nonce=None,
        scopes=found.requested_scopes,
        audience=found.audience,
        code_challenge=None,
        prompt=("consent",),
        max_age=None,
        login_hint=None,
        expected_user_id=found.user_id,
        linked_user_id=found.user_id if waived else None,
        acr_values=found.acr_values,
        backchannel_id=found.id,
        binding_message=found.binding_message,
        organization_id=found.organization_id,
        authorization_details=found.authorization_details,
        is_pushed=True,
    )
    return authorize.begin(db, subject, request, session, browser)
