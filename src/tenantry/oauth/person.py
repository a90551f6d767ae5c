"""OpenID Connect Core §3.1.2.3 and §3.1.2.4: what a person answers on the pages.

Law: an answer counts only while its question is the next step, and only from who is signed in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tenantry.core.facts import UserFacts
from tenantry.core.organizations import OrganizationFacts
from tenantry.oauth import rar
from tenantry.oauth.authorization_request import AuthorizationRequest
from tenantry.oauth.authorize import Outcome, proceed, refuse, resume
from tenantry.oauth.standing import Standing, Subject, stand
from tenantry.rules.authorization import Granted
from tenantry.rules.interaction import Step
from tenantry.store import authorizations, consents
from tenantry.store.audit import Event, record
from tenantry.store.authorizations import AuthorizationFacts
from tenantry.store.unit_of_work import TenantSession


def _standing(
    db: TenantSession, subject: Subject, authorization: AuthorizationFacts
) -> tuple[AuthorizationRequest, Standing]:
    request = AuthorizationRequest.from_json(authorization.request)
    return request, stand(db, subject, request, authorization)


def asked_at(
    db: TenantSession, subject: Subject, authorization: AuthorizationFacts, step: Step
) -> tuple[UserFacts, tuple[str, ...]] | None:
    """Who is asked, and for which scopes; None where `step` is not the next one."""
    _, standing = _standing(db, subject, authorization)
    if standing.step is not step or standing.user is None:
        return None
    return standing.user, standing.scopes


def after_organization(
    db: TenantSession,
    subject: Subject,
    authorization: AuthorizationFacts,
    handle: str,
    organization: OrganizationFacts,
) -> Outcome:
    """The organization that the person named; the rest is decided as if the request had."""
    request, standing = _standing(db, subject, authorization)
    if standing.step is not Step.ORGANIZATION:
        return proceed(db, subject, request, authorization, standing, handle)
    named = replace(request, organization_id=organization.id).to_json()
    authorizations.advance(db, authorization.id, {"request": named})
    return resume(db, subject, replace(authorization, request=named), handle)


def after_choice(
    db: TenantSession,
    subject: Subject,
    authorization: AuthorizationFacts,
    handle: str,
    *,
    present: bool,
) -> Outcome:
    """§3.1.2.1, `select_account`: the account of the session, or another by signing in."""
    request, standing = _standing(db, subject, authorization)
    if standing.step is not Step.SELECT_ACCOUNT:
        return proceed(db, subject, request, authorization, standing, handle)
    changes: dict[str, Any] = {"account_chosen": True}
    if not present:
        changes |= {"session_id": None, "user_id": None, "auth_time": None}
    authorizations.advance(db, authorization.id, changes)
    return resume(db, subject, replace(authorization, **changes), handle)


def after_consent(
    db: TenantSession,
    subject: Subject,
    authorization: AuthorizationFacts,
    handle: str,
    *,
    allowed: bool,
) -> Outcome:
    """The person has answered; only a signed-in one is heard."""
    request, standing = _standing(db, subject, authorization)
    if standing.step is not Step.CONSENT or standing.user is None:
        return proceed(db, subject, request, authorization, standing, handle)
    if not allowed:
        return refuse(db, request, authorization, "access_denied", "The person refused.")
    if isinstance(standing.decision, Granted):
        consents.add_scopes(
            db,
            standing.user.id,
            request.client_id,
            subject.consent_audience(),
            standing.scopes,
        )
        record(
            db,
            Event(
                "consent.given",
                client_id=request.client_id,
                user_id=standing.user.id,
                details={
                    "audience": subject.consent_audience(),
                    "scope": " ".join(standing.scopes),
                    **rar.told(request.authorization_details, request.linking_id),
                },
            ),
        )
    authorizations.advance(db, authorization.id, {"consented": True})
    return resume(db, subject, replace(authorization, consented=True), handle)


def after_confirmation(
    db: TenantSession,
    subject: Subject,
    authorization: AuthorizationFacts,
    handle: str,
    *,
    confirmed: bool,
) -> Outcome:
    """RFC 8252 §8.6: whether the program that asks is the one that the person uses."""
    request, standing = _standing(db, subject, authorization)
    if standing.step is not Step.CONFIRM:
        return proceed(db, subject, request, authorization, standing, handle)
    if not confirmed:
        return refuse(db, request, authorization, "access_denied", "The person refused.")
    authorizations.advance(db, authorization.id, {"confirmed": True})
    return resume(db, subject, replace(authorization, confirmed=True), handle)
