"""Which API an audience names: a stored one or, at the root, a tenant's management API."""

from __future__ import annotations

from tenantry.core.facts import ResourceServerFacts, SubjectType
from tenantry.rules.addresses import Addresses
from tenantry.rules.resources import parts_of, shared_scopes, together
from tenantry.services.management_api import EVERY_MANAGEMENT_API, derived_api
from tenantry.store import (
    client_grants,
    installation,
    organization_members,
    resource_servers,
    roles,
    users,
)
from tenantry.store.cache import Configuration
from tenantry.store.unit_of_work import INSTALLATION, TenantSession, recall


async def find_api(
    configuration: Configuration, addresses: Addresses, tenant_id: str, audience: str
) -> ResourceServerFacts | None:
    """The API, from memory where the tenant has not changed."""
    api = await configuration.get(tenant_id, resource_servers.find_by_identifier, audience)
    if api is not None:
        return api
    name = addresses.tenant_of_management_identifier(audience)
    if name is None or not await configuration.get(
        INSTALLATION, installation.tenant_identity, name
    ):
        return None
    root_api = await configuration.get(
        tenant_id, resource_servers.find_by_identifier, f"{addresses.public_url}/graphql"
    )
    return derived_api(root_api, audience) if root_api and root_api.is_system else None


def find_api_in(
    db: TenantSession, addresses: Addresses, audience: str
) -> ResourceServerFacts | None:
    """The same inside a unit of work."""
    api = recall(db, resource_servers.find_by_identifier, audience)
    if api is not None:
        return api
    name = addresses.tenant_of_management_identifier(audience)
    if name is None or not installation.tenant_identity(db, name):
        return None
    root_api = recall(db, resource_servers.find_by_identifier, f"{addresses.public_url}/graphql")
    return derived_api(root_api, audience) if root_api and root_api.is_system else None


async def find_target(
    configuration: Configuration, addresses: Addresses, tenant_id: str, audience: str
) -> ResourceServerFacts | None:
    """What a request names: one API, or several with spaces between as one."""
    names = audience.split(" ")
    found = [await find_api(configuration, addresses, tenant_id, name) for name in names]
    return together(found) if len(found) > 1 else found[0]


def find_target_in(
    db: TenantSession, addresses: Addresses, audience: str
) -> ResourceServerFacts | None:
    """The same inside a unit of work."""
    found = [find_api_in(db, addresses, name) for name in audience.split(" ")]
    return together(found) if len(found) > 1 else found[0]


async def signing_secret(
    configuration: Configuration, tenant_id: str, api: ResourceServerFacts
) -> bytes | None:
    """What an API with HS256 shares with this server, from memory; None for every other."""
    if not api.signing_alg.is_symmetric:
        return None
    return await configuration.get(tenant_id, resource_servers.signing_secret, api.id)


def grant_audiences(audience: str, api: ResourceServerFacts) -> tuple[str, ...]:
    """The audiences whose grants hold for an API: its own, and for management APIs `*`."""
    return (audience, EVERY_MANAGEMENT_API) if api.is_system else (audience,)


async def granted_to_application(
    configuration: Configuration,
    tenant_id: str,
    client_id: str,
    api: ResourceServerFacts,
    subject_type: SubjectType,
) -> tuple[str, ...] | None:
    """The scopes that client grants give at an API now; None where there is no grant."""
    if len(parts := parts_of(api)) > 1:
        allowed = [
            (
                part,
                await granted_to_application(
                    configuration, tenant_id, client_id, part, subject_type
                ),
            )
            for part in parts
        ]
        return shared_scopes(allowed)
    granted: tuple[str, ...] | None = None
    for audience in grant_audiences(api.identifier, api):
        grant = await configuration.get(
            tenant_id, client_grants.find_for, (client_id, audience, subject_type)
        )
        if grant is not None:
            given = (
                api.scope_values
                if grant.allow_all_scopes
                else tuple(scope for scope in grant.scopes if scope in api.scope_values)
            )
            granted = tuple(dict.fromkeys((*(granted or ()), *given)))
    return granted


def permitted_to_user(
    db: TenantSession, user_id: str, api: ResourceServerFacts, organization_id: str | None = None
) -> tuple[str, ...]:
    """The permissions that a user has at an API now, directly or by roles; `*` gives all.

    The roles that a member has within an organization count where the token is for it.
    """
    if len(parts := parts_of(api)) > 1:
        each = [(part, permitted_to_user(db, user_id, part, organization_id)) for part in parts]
        return shared_scopes(each) or ()
    audiences = grant_audiences(api.identifier, api)
    held = {
        *users.permissions(db, user_id, *audiences),
        *roles.permissions_of_user(db, user_id, *audiences),
    }
    if organization_id is not None:
        held |= {*organization_members.permissions(db, organization_id, user_id, *audiences)}
    if "*" in held:
        return api.scope_values
    return tuple(scope for scope in api.scope_values if scope in held)
