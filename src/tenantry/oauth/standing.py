"""Where an authorization stands: who is signed in, what they may get, what is needed next.

Law: it is decided anew each time from what is stored, never remembered from the step before.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.facts import (
    ApplicationFacts,
    ConsentFacts,
    ResourceServerFacts,
    SessionFacts,
    TenantFacts,
    UserFacts,
)
from tenantry.core.organizations import OrganizationFacts
from tenantry.keys.signing import KeyRing
from tenantry.oauth.authorization_request import AuthorizationRequest
from tenantry.oauth.claims_request import unmet
from tenantry.oauth.membership import asks_for_organization, entry_of, not_invited, organization_in
from tenantry.oauth.response_types import CODE
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.authentication import PASSWORD, contexts_of
from tenantry.rules.authorization import (
    OFFLINE_ACCESS,
    Granted,
    Refused,
)
from tenantry.rules.detail_admission import AskedDetails
from tenantry.rules.interaction import (
    InteractionFacts,
    Step,
    needs_confirmation,
    needs_consent,
    next_step,
)
from tenantry.rules.possession import may_come_in_front
from tenantry.services import sessions
from tenantry.services.organization_access import Within
from tenantry.services.subjects import subject_of
from tenantry.services.user_flow import decide_for
from tenantry.store import applications, consents, users
from tenantry.store.authorizations import AuthorizationFacts
from tenantry.store.unit_of_work import TenantSession, recall


@dataclass(frozen=True, slots=True)
class Subject:
    """What an authorization is about: the application and the API, as they are now."""

    application: ApplicationFacts
    api: ResourceServerFacts | None
    issuer: str
    userinfo_audience: str
    tenant: TenantFacts
    address: TenantAddress
    ring: KeyRing

    def consent_audience(self) -> str:
        return self.api.identifier if self.api else self.userinfo_audience


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an authorization stands: who is signed in, what they may get, what is next.

    `scopes` are those that consent is asked for: also those of claims asked for one by one.
    """

    step: Step
    user: UserFacts | None
    decision: Granted | Refused
    scopes: tuple[str, ...] = ()
    organization: OrganizationFacts | None = None


def stand(
    db: TenantSession,
    subject: Subject,
    request: AuthorizationRequest,
    authorization: AuthorizationFacts,
    found: SessionFacts | None = None,
) -> Standing:
    """Decides anew, from what is stored now: `found` was, alive, in this unit of work."""
    user, session = _signed_in(db, subject, request, authorization, found)
    if asks_for_organization(subject.application, request):
        silent = "none" in request.prompt
        step = Step.INTERACTION_REQUIRED if silent else Step.ORGANIZATION
        return Standing(step, user, Granted(None, (), ()))
    entry = entry_of(db, request, user)
    # Whoever is to sign in anew is not judged by who was there before.
    judged = user if entry.is_expected and not _signs_in_anew(db, request, authorization) else None
    decision = entry.refusal or _decide(db, subject, request, judged, entry.within)
    if not entry.is_expected and authorization.authenticated_at is not None:
        decision = not_invited()
    if isinstance(decision, Granted):
        decision = _authenticated_well(subject, request, session) or decision
    stored: ConsentFacts | None = None
    granted: tuple[str, ...] = ()
    if isinstance(decision, Granted):
        granted = tuple(dict.fromkeys((*decision.scopes, *request.claims.scopes)))
    if user is not None:
        stored = consents.find(db, user.id, request.client_id, subject.consent_audience())
    step = next_step(
        InteractionFacts(
            prompt=request.prompt,
            max_age=request.max_age,
            auth_time=authorization.auth_time if user else None,
            is_expected_person=user is None
            or (entry.is_expected and _is_expected(db, subject, request, user)),
            authenticated_here=authorization.authenticated_at is not None,
            account_chosen_here=authorization.account_chosen,
            # RFC 9396 §12: details are of one occasion, so that none of them is allowed before.
            needs_consent=bool(request.authorization_details)
            or needs_consent(
                subject.application, subject.api, request.redirect_uri, granted, stored
            ),
            consented_here=authorization.consented,
            needs_confirmation=needs_confirmation(
                subject.application,
                subject.tenant.non_verifiable_callback_confirmation,
                request.redirect_uri,
            ),
            confirmed_here=authorization.confirmed,
            now=db.now,
        )
    )
    return Standing(step, user, decision, granted, organization_in(entry.within))


def _signs_in_anew(
    db: TenantSession, request: AuthorizationRequest, authorization: AuthorizationFacts
) -> bool:
    """Whether an organization's door waits for a new sign-in or another account."""
    if request.organization_id is None or authorization.authenticated_at is not None:
        return False
    chosen = authorization.account_chosen
    return "login" in request.prompt or ("select_account" in request.prompt and not chosen)


def _is_expected(
    db: TenantSession, subject: Subject, request: AuthorizationRequest, user: UserFacts
) -> bool:
    """§3.1.2.1 and §5.5.1: the person of the `id_token_hint` and of a requested `sub`."""
    name = subject_of(db.vault, subject.application, user.id)
    subjects = request.claims.subjects
    hinted = request.expected_user_id in {None, user.id, name}
    return hinted and (subjects is None or name in subjects)


def _authenticated_well(
    subject: Subject, request: AuthorizationRequest, session: SessionFacts | None
) -> Refused | None:
    """§5.5.1.1: whether the sign-in, or one that is to come, satisfies an essential `acr`."""
    amr = session.amr if session else (PASSWORD,)
    satisfied = contexts_of(amr, protected=subject.address.is_https)
    error = unmet(request.claims, satisfied)
    return Refused(error.error, error.description, 403, ()) if error else None


def _signed_in(
    db: TenantSession,
    subject: Subject,
    request: AuthorizationRequest,
    authorization: AuthorizationFacts,
    found: SessionFacts | None,
) -> tuple[UserFacts | None, SessionFacts | None]:
    """The person, unless the sign-in ended since: by a logout, a block, a new password.

    Nor does one count whose connection is not enabled for the application. A link in mail stands
    for its person while the tenant lets it.
    """
    if not authorization.user_id:
        return None, None
    session = found
    if session is None and authorization.session_id:
        session = sessions.live(db, authorization.session_id)
    linked = request.linked_user_id == authorization.user_id and authorization.session_id is None
    if session is None and (not linked or subject.tenant.require_login_for_approval_links):
        return None, None
    user = users.find(db, authorization.user_id)
    if user is None or user.blocked:
        return None, None
    enabled = recall(db, applications.connection_ids, subject.application.id) or ()
    connection_id = session.connection_id if session else user.connection_id
    return (user, session) if connection_id in enabled else (None, None)


def _decide(
    db: TenantSession,
    subject: Subject,
    request: AuthorizationRequest,
    user: UserFacts | None,
    within: Within | None,
) -> Granted | Refused:
    # OpenID Connect Core §11: offline access is ignored where no code will be redeemed.
    dropped = () if CODE in request.response_type.split() else (OFFLINE_ACCESS,)
    requested = tuple(scope for scope in request.scopes if scope not in dropped)
    asked = (request.audience, requested)
    details = AskedDetails(request.authorization_details, request.is_pushed)
    decision = decide_for(db, subject.application, subject.api, asked, user, within, details)
    parts = request.response_type.split()
    bearer = may_come_in_front(subject.application, subject.api, parts)
    return bearer if isinstance(bearer, Refused) else decision
