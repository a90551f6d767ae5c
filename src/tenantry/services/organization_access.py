"""The organization that tokens are for: how it is named, who may enter, what tokens say of it."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.facts import ClientGrantFacts, ResourceServerFacts, SubjectType, TenantFacts
from tenantry.core.organizations import (
    OrganizationConnectionFacts,
    OrganizationFacts,
    OrganizationUsage,
)
from tenantry.rules.organizations import (
    ID_PREFIX,
    OrganizationAccess,
    OrganizationRequest,
    strictest,
)
from tenantry.rules.resources import parts_of
from tenantry.services.apis import grant_audiences
from tenantry.store import (
    client_grants,
    installation,
    organization_grants,
    organization_members,
    organizations,
    users,
)
from tenantry.store.cache import Configuration
from tenantry.store.unit_of_work import TenantSession, recall


@dataclass(frozen=True, slots=True)
class Within:
    """The organization of a user's tokens. `at_login`: whether a sign-in may make a member,
    `invited`: whether the user holds an invitation that is still good.
    """

    organization: OrganizationFacts
    at_login: bool = False
    invited: bool = False


async def find_named(
    configuration: Configuration, tenant: TenantFacts, reference: str
) -> OrganizationFacts | None:
    """By the id or, where the tenant allows it, by the name; from memory."""
    if reference.startswith(ID_PREFIX):
        return await configuration.get(tenant.id, organizations.find, reference)
    if not tenant.allow_organization_name_in_authentication_api:
        return None
    # What people type counts whatever its case: names are in lower case.
    return await configuration.get(tenant.id, organizations.find_by_name, reference.lower())


def find_in(db: TenantSession, organization_id: str | None) -> OrganizationFacts | None:
    """The organization of what is stored, inside a unit of work."""
    return recall(db, organizations.find, organization_id) if organization_id else None


def connection_of(
    db: TenantSession, organization_id: str, connection_id: str
) -> OrganizationConnectionFacts | None:
    """How the users of a connection sign in to an organization; None where they do not."""
    enabled = organizations.connections_of_each(db, [organization_id]).get(organization_id, ())
    return next((each for each in enabled if each.connection_id == connection_id), None)


def is_member(db: TenantSession, organization_id: str, user_id: str) -> bool:
    return organization_members.find(db, organization_id, user_id) is not None


def access_of(db: TenantSession, within: Within, user_id: str | None) -> OrganizationAccess:
    """The facts for the decision."""
    organization = within.organization
    user = users.find(db, user_id) if user_id else None
    if user is None:
        return OrganizationAccess(organization)
    enabled = connection_of(db, organization.id, user.connection_id)
    joins = within.at_login and enabled is not None and enabled.assign_membership_on_login
    return OrganizationAccess(
        organization,
        may_enter=within.invited or joins or is_member(db, organization.id, user.id),
        has_connection=enabled is not None,
    )


def claims_of(tenant: TenantFacts, organization: OrganizationFacts | None) -> dict[str, str]:
    """`org_id` and, where the tenant allows names, `org_name`."""
    if organization is None:
        return {}
    claims = {"org_id": organization.id}
    if tenant.allow_organization_name_in_authentication_api:
        claims["org_name"] = organization.name
    return claims


def claims_in(db: TenantSession, organization: OrganizationFacts | None) -> dict[str, str]:
    """The same inside a unit of work."""
    if organization is None:
        return {}
    tenant = recall(db, installation.find_tenant, db.tenant_id)
    return claims_of(tenant, organization) if tenant else {}


async def request_of_application(
    configuration: Configuration,
    tenant: TenantFacts,
    client_id: str,
    api: ResourceServerFacts,
    reference: str | None,
) -> OrganizationRequest | None:
    """What the client grants say of organizations; None where there is no grant."""
    organization = None
    if reference is not None:
        organization = await find_named(configuration, tenant, reference)
    usages: list[OrganizationUsage] = []
    covered = organization is not None
    for part in parts_of(api):
        grant = await _grant_of(configuration, tenant.id, client_id, part)
        if grant is None:
            return None
        usages.append(grant.organization_usage)
        if organization is not None and not grant.allow_any_organization:
            key = (grant.id, organization.id)
            found = await configuration.get(tenant.id, organization_grants.covers, key)
            covered = covered and bool(found)
    return OrganizationRequest(reference is not None, organization, strictest((*usages,)), covered)


async def _grant_of(
    configuration: Configuration, tenant_id: str, client_id: str, api: ResourceServerFacts
) -> ClientGrantFacts | None:
    """The grant for the API, or else that for every management API."""
    for audience in grant_audiences(api.identifier, api):
        key = (client_id, audience, SubjectType.CLIENT)
        grant = await configuration.get(tenant_id, client_grants.find_for, key)
        if grant is not None:
            return grant
    return None
