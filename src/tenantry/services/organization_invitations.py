"""Invitations: a ticket in a link, shown once, that makes one member."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.ids import new_id, new_token
from tenantry.core.organizations import (
    OrganizationFacts,
    OrganizationInvitationFacts,
    OrganizationUsage,
)
from tenantry.rules.fields import with_defaults
from tenantry.rules.organizations import INVITATION_FIELDS
from tenantry.services.changes import record_change
from tenantry.services.commands import Values
from tenantry.store import (
    applications,
    organization_invitations,
    organizations,
    roles,
)
from tenantry.store.unit_of_work import TenantSession

TICKET_PURPOSE = "organization invitation"


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """The link is here only where it was made just now."""

    invitation: OrganizationInvitationFacts
    invitation_url: str


def create(db: TenantSession, issuer: str, command: Values) -> NewInvitation:
    """The link begins a sign-in at the application, which sends the person on to us."""
    values = with_defaults(INVITATION_FIELDS, command)
    organization = organizations.find(db, values["organization_id"])
    if organization is None:
        raise not_found("organization", "organization_id")
    begins_at = _require_sign_in(db, values["client_id"])
    _require_roles(db, values["role_ids"])
    ticket = new_token()
    invitation = OrganizationInvitationFacts(
        id=new_id(),
        organization_id=organization.id,
        client_id=values["client_id"],
        inviter_name=values["inviter_name"],
        invitee_email=values["invitee_email"],
        role_ids=values["role_ids"],
        created_at=db.now,
        expires_at=db.now + timedelta(seconds=values["lifetime"]),
        accepted_at=None,
        accepted_by=None,
    )
    organization_invitations.create(db, invitation, db.vault.digest(ticket, TICKET_PURPOSE))
    record_change(
        db,
        "organization_invitation.created",
        ("OrganizationInvitation", invitation.id),
        after=values,
        client_id=invitation.client_id,
    )
    return NewInvitation(invitation, _link(begins_at, issuer, organization, ticket))


def _require_sign_in(db: TenantSession, client_id: str) -> str:
    """Where a sign-in to the application begins."""
    application = applications.find_by_client_id(db, client_id)
    if application is None:
        raise not_found("application", "client_id")
    if application.organization_usage is OrganizationUsage.DENY:
        raise DomainError(
            ErrorCode.NOT_ALLOWED, "The application takes no organizations.", "client_id"
        )
    if application.initiate_login_uri is None:
        raise DomainError(
            ErrorCode.NOT_ALLOWED, "The application has no initiateLoginUri.", "client_id"
        )
    return application.initiate_login_uri


def _require_roles(db: TenantSession, role_ids: tuple[str, ...]) -> None:
    known = roles.find_by_ids(db, role_ids)
    for index, role_id in enumerate(role_ids):
        if role_id not in known:
            raise not_found("role", "role_ids", str(index))


def _link(begins_at: str, issuer: str, organization: OrganizationFacts, ticket: str) -> str:
    """OpenID Connect Core §4: a sign-in that somebody else begins, `iss` among its parameters."""
    uri, hash_, fragment = begins_at.partition("#")
    query = urlencode(
        {
            "iss": issuer,
            "invitation": ticket,
            "organization": organization.id,
            "organization_name": organization.name,
        },
        quote_via=quote,
    )
    return f"{uri}{'&' if '?' in uri else '?'}{query}{hash_}{fragment}"


def delete(db: TenantSession, id: str) -> str:
    """Takes it back; who accepted it stays a member. Returns the id."""
    invitation = organization_invitations.find(db, id)
    if invitation is None or not organization_invitations.delete(db, id):
        raise not_found("invitation")
    record_change(
        db,
        "organization_invitation.deleted",
        ("OrganizationInvitation", id),
        client_id=invitation.client_id,
    )
    return id
