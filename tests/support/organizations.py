"""Organizations of a tenant, as its administrator furnishes them."""

from __future__ import annotations

from typing import Any

from tenantry.core.facts import DATABASE_CONNECTION, RoleFacts, UserFacts
from tenantry.core.organizations import OrganizationFacts
from tenantry.services import (
    organization_invitations,
    organization_members,
    organizations,
)
from tenantry.services.commands import Patch
from tests.support.server import Client, Tenant

LOGIN_URI = "https://app.example.com/login"


def organization(
    tenant: Tenant,
    name: str = "acme",
    *members: UserFacts,
    connection: str | None = DATABASE_CONNECTION,
    assigns: bool = False,
    **values: Any,
) -> OrganizationFacts:
    """An organization that the tenant's own users sign in to."""
    made: OrganizationFacts = tenant.write(organizations.create, {"name": name} | values)
    if connection is not None:
        tenant.write(
            organizations.set_connection,
            Patch(made.id),
            connection,
            assign_membership_on_login=assigns,
        )
    if members:
        join(tenant, made, *members)
    return made


def join(tenant: Tenant, to: OrganizationFacts, *users: UserFacts) -> None:
    tenant.write(organization_members.add, Patch(to.id), [user.id for user in users])


def leave(tenant: Tenant, of: OrganizationFacts, *users: UserFacts) -> None:
    tenant.write(organization_members.remove, Patch(of.id), [user.id for user in users])


def give_role(tenant: Tenant, within: OrganizationFacts, user: UserFacts, role: RoleFacts) -> None:
    tenant.write(organization_members.give_roles, Patch(within.id), user.id, [role.id])


def delete(tenant: Tenant, which: OrganizationFacts) -> None:
    tenant.write(organizations.delete, Patch(which.id))


def application(
    tenant: Tenant, usage: str = "allow", kind: str = "regular_web", **values: Any
) -> Client:
    """One that takes organizations, and where a sign-in can begin."""
    given = {"organization_usage": usage, "initiate_login_uri": LOGIN_URI}
    return tenant.application(kind, **(given | values))


def invite(
    tenant: Tenant, to: OrganizationFacts, client: Client, invitee: str, **values: Any
) -> organization_invitations.NewInvitation:
    given = {
        "organization_id": to.id,
        "client_id": client.id,
        "inviter_name": "Bob",
        "invitee_email": invitee,
    }
    made: organization_invitations.NewInvitation = tenant.write(
        organization_invitations.create, tenant.issuer, given | values
    )
    return made
