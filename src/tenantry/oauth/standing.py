"""Where an authorization stands: who is signed in, what they may get, what is needed next.

Law: it is decided anew each time from what is stored, never remembered from the step before.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.facts import (
    ApplicationFacts,
    ConsentFacts,
    ResourceServerFacts,
    SubjectType,
    UserFacts,
)
from tenantry.oauth.authorization_request import AuthorizationRequest
from tenantry.rules.authorization import Granted, Refused, UserFlowFacts, decide_user_flow
from tenantry.rules.interaction import InteractionFacts, Step, needs_consent, next_step
from tenantry.services import sessions
from tenantry.services.apis import grant_audiences, permitted_to_user
from tenantry.store import client_grants, consents, users
from tenantry.store.authorizations import AuthorizationFacts
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class Subject:
    """What an authorization is about: the application and the API, as they are now."""

    application: ApplicationFacts
    api: ResourceServerFacts | None
    issuer: str
    userinfo_audience: str

    def consent_audience(self) -> str:
        return self.api.identifier if self.api else self.userinfo_audience


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an authorization stands: who is signed in, what they may get, what is next."""

    step: Step
    user: UserFacts | None
    decision: Granted | Refused


def stand(
    db: TenantSession,
    subject: Subject,
    request: AuthorizationRequest,
    authorization: AuthorizationFacts,
) -> Standing:
    """Decides anew, from what is stored now."""
    user = _signed_in(db, authorization)
    decision = _decide(db, subject, request, user)
    stored: ConsentFacts | None = None
    granted = decision.scopes if isinstance(decision, Granted) else ()
    if user is not None:
        stored = consents.find(db, user.id, request.client_id, subject.consent_audience())
    step = next_step(
        InteractionFacts(
            prompt=request.prompt,
            max_age=request.max_age,
            auth_time=authorization.auth_time if user else None,
            is_expected_person=user is None or request.expected_user_id in {None, user.id},
            authenticated_here=authorization.authenticated_at is not None,
            needs_consent=needs_consent(
                subject.application, subject.api, request.redirect_uri, granted, stored
            ),
            consented_here=authorization.consented,
            now=db.now,
        )
    )
    return Standing(step, user, decision)


def _signed_in(db: TenantSession, authorization: AuthorizationFacts) -> UserFacts | None:
    """The person, unless the sign-in ended since: by a logout, a block, a new password."""
    if not authorization.user_id or not authorization.session_id:
        return None
    if not sessions.is_live(db, authorization.session_id):
        return None
    user = users.find(db, authorization.user_id)
    return user if user and not user.blocked else None


def _decide(
    db: TenantSession,
    subject: Subject,
    request: AuthorizationRequest,
    user: UserFacts | None,
) -> Granted | Refused:
    api = subject.api
    granted: tuple[str, ...] | None = None
    permitted: tuple[str, ...] | None = None
    if api is not None:
        granted = _granted(db, request.client_id, api)
        if user is not None and api.enforce_policies:
            permitted = permitted_to_user(db, user.id, api)
    return decide_user_flow(
        UserFlowFacts(
            application=subject.application,
            audience=request.audience,
            api=api,
            granted=granted,
            permitted=permitted,
            requested=request.scopes,
        )
    )


def _granted(db: TenantSession, client_id: str, api: ResourceServerFacts) -> tuple[str, ...] | None:
    found = [
        grant
        for audience in grant_audiences(api.identifier, api)
        if (grant := client_grants.find_for(db, (client_id, audience, SubjectType.USER)))
    ]
    if not found:
        return None
    if any(grant.allow_all_scopes for grant in found):
        return api.scope_values
    return tuple(scope for grant in found for scope in grant.scopes)
