"""The parameters `organization` and `invitation`: for which organization of the tenant to act.

Law: an organization is named by its id, by its name only where the tenant allows that, and a
ticket is good for the one organization and application that it was made for.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.facts import ApplicationFacts, TenantFacts
from tenantry.core.organizations import OrganizationFacts, OrganizationInvitationFacts
from tenantry.oauth.errors import invalid_request, require
from tenantry.oauth.parameters import Parameters
from tenantry.rules.authorization_admission import names_organization, organization_in_urls
from tenantry.services.organization_access import find_named
from tenantry.services.organization_invitations import TICKET_PURPOSE
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.store import organization_invitations
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class AskedOrganization:
    """What a request says of organizations. `invitation` is one that is good now."""

    reference: str | None = None
    organization: OrganizationFacts | None = None
    has_ticket: bool = False
    invitation: OrganizationInvitationFacts | None = None

    def name_in_urls(self, application: ApplicationFacts) -> str | None:
        return organization_in_urls(application, self.organization)

    def require_known(self, application: ApplicationFacts) -> None:
        if self.reference is not None:
            require(names_organization(known=self.organization is not None))
        if not self.has_ticket:
            return
        invitation, organization = self.invitation, self.organization
        if (
            invitation is None
            or organization is None
            or invitation.organization_id != organization.id
            or invitation.client_id != application.client_id
        ):
            raise invalid_request("The parameter invitation is unknown, expired or used.")


NOTHING_ASKED = AskedOrganization()


async def read_asked(
    runtime: Runtime, context: RequestContext, tenant: TenantFacts, parameters: Parameters
) -> AskedOrganization:
    """Looks up both parameters; a repeated one counts as absent, and is refused where it is read.

    The redirect URI may depend on the organization, so that this comes before anything else.
    """
    reference = None if "organization" in parameters.repeated else parameters.get("organization")
    ticket = None if "invitation" in parameters.repeated else parameters.get("invitation")
    organization = invitation = None
    if reference is not None:
        organization = await find_named(runtime.configuration, tenant, reference)
    if ticket is not None:
        invitation = await runtime.store.read(tenant.id, context.caller(), find_invitation, ticket)
    return AskedOrganization(reference, organization, ticket is not None, invitation)


def find_invitation(db: TenantSession, ticket: str) -> OrganizationInvitationFacts | None:
    """The invitation of a ticket that nobody has used, in its time."""
    digests = db.vault.digests(ticket, TICKET_PURPOSE)
    found = organization_invitations.find_by_ticket(db, digests)
    if found is None or found.accepted_at is not None or found.expires_at <= db.now:
        return None
    return found


async def organization_of(
    runtime: Runtime, tenant: TenantFacts, parameters: Parameters
) -> OrganizationFacts | None:
    """The organization that a token request names; None where it names none."""
    reference = parameters.get("organization")
    if reference is None:
        return None
    organization = await find_named(runtime.configuration, tenant, reference)
    require(names_organization(known=organization is not None))
    return organization
