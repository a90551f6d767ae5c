"""Who may enter the organization of an authorization, and who becomes a member on the way.

Law: only members get tokens for an organization. A ticket makes one member, whose email it was
sent to, by one conditional statement; whoever stopped being a member gets no further token.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.facts import ApplicationFacts, UserFacts
from tenantry.core.organizations import (
    OrganizationFacts,
    OrganizationInvitationFacts,
    OrganizationRequireBehavior,
    OrganizationUsage,
)
from tenantry.oauth.authorization_request import AuthorizationRequest
from tenantry.oauth.errors import OAuthError, invalid_grant
from tenantry.rules.admission import NO_MEMBER, still_member
from tenantry.rules.authorization import Refused
from tenantry.rules.fields import normalize_email
from tenantry.services.organization_access import Within, connection_of, find_in, is_member
from tenantry.store import organization_invitations, organization_members, roles
from tenantry.store.audit import Event, record
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class Entry:
    """How somebody stands before an organization. `is_expected` is False where an invitation is
    somebody else's.
    """

    within: Within | None = None
    is_expected: bool = True
    refusal: Refused | None = None


def asks_for_organization(application: ApplicationFacts, request: AuthorizationRequest) -> bool:
    """Whether the person says, before anything else, which organization the sign-in is for."""
    return (
        request.organization_id is None
        and not request.is_answered_elsewhere
        and application.organization_usage is OrganizationUsage.REQUIRE
        and application.organization_require_behavior
        is OrganizationRequireBehavior.PRE_LOGIN_PROMPT
    )


def entry_of(db: TenantSession, request: AuthorizationRequest, user: UserFacts | None) -> Entry:
    """Decided anew at each step, from what is stored now."""
    if request.organization_id is None:
        return Entry()
    organization = find_in(db, request.organization_id)
    if organization is None:
        return Entry(refusal=_refused("The organization is gone."))
    invitation = _waiting(db, request)
    if invitation is None or user is None:
        return Entry(Within(organization, at_login=True))
    expected = _is_invited(invitation, user)
    return Entry(Within(organization, at_login=True, invited=expected), expected)


def not_invited() -> Refused:
    return _refused("The invitation is for somebody else.")


def _refused(description: str) -> Refused:
    return Refused("access_denied", description, 403, ())


def _waiting(
    db: TenantSession, request: AuthorizationRequest
) -> OrganizationInvitationFacts | None:
    if request.invitation_id is None:
        return None
    found = organization_invitations.find(db, request.invitation_id)
    if found is None or found.accepted_at is not None or found.expires_at <= db.now:
        return None
    return found if found.organization_id == request.organization_id else None


def _is_invited(invitation: OrganizationInvitationFacts, user: UserFacts) -> bool:
    wanted = normalize_email(invitation.invitee_email)
    return user.email is not None and normalize_email(user.email) == wanted


def join(db: TenantSession, request: AuthorizationRequest, user: UserFacts) -> bool:
    """Makes a member of who may become one. Whether anything changed for the decision."""
    if request.organization_id is None:
        return False
    invitation = _waiting(db, request)
    if invitation is not None and _is_invited(invitation, user):
        if organization_invitations.claim(db, invitation.id, user.id):
            _add(db, request, user, invitation)
        return True
    if is_member(db, request.organization_id, user.id):
        return False
    enabled = connection_of(db, request.organization_id, user.connection_id)
    if enabled is None or not enabled.assign_membership_on_login:
        return False
    _add(db, request, user, None)
    return True


def _add(
    db: TenantSession,
    request: AuthorizationRequest,
    user: UserFacts,
    invitation: OrganizationInvitationFacts | None,
) -> None:
    organization_id = request.organization_id or ""
    organization_members.add(db, organization_id, [user.id])
    details: dict[str, object] = {"user_ids": [user.id]}
    if invitation is not None:
        # Roles that were deleted since are gone.
        known = tuple(roles.find_by_ids(db, invitation.role_ids))
        organization_members.give_roles(db, organization_id, user.id, known)
        details |= {"invitation_id": invitation.id, "role_ids": list(known)}
    record(
        db,
        Event(
            "organization.member_joined" if invitation is None else "organization.member_invited",
            client_id=request.client_id,
            user_id=user.id,
            target_type="Organization",
            target_id=organization_id,
            details=details,
        ),
    )


def still_within(
    db: TenantSession, organization_id: str | None, user: UserFacts
) -> Within | OAuthError | None:
    """The organization of tokens that were promised or given before; None where there is none."""
    if organization_id is None:
        return None
    organization = find_in(db, organization_id)
    member = organization is not None and is_member(db, organization_id, user.id)
    left = still_member("invalid_grant", NO_MEMBER, member=member)
    if isinstance(left, Refused) or organization is None:
        return invalid_grant(NO_MEMBER)
    return Within(organization)


def organization_in(within: Within | None) -> OrganizationFacts | None:
    return within.organization if within else None
