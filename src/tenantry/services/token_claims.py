"""What tokens say of a user beyond the standard claims: permissions and custom claims."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tenantry.core.facts import (
    ApplicationFacts,
    ClaimMapping,
    ClaimSource,
    ClaimTarget,
    ResourceServerFacts,
    RoleFacts,
    TenantFacts,
    UserFacts,
)
from tenantry.rules.custom_claims import ClaimSources, CustomClaims, custom
from tenantry.services.apis import permitted_to_user
from tenantry.services.applications import require_tenant
from tenantry.store import installation, organization_members, resource_servers, roles
from tenantry.store.unit_of_work import TenantSession, recall


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """Read once for all tokens of an answer. `permissions` are all that the user has."""

    mappings: tuple[ClaimMapping, ...]
    sources: ClaimSources

    @property
    def permissions(self) -> tuple[str, ...]:
        return self.sources.permissions

    def custom(self, target: ClaimTarget, taken: Collection[str] = ()) -> CustomClaims:
        return custom(self.mappings, self.sources, target, taken)


def mappings_of(tenant: TenantFacts, application: ApplicationFacts) -> tuple[ClaimMapping, ...]:
    """The application's come first, so that they count before the tenant's of the same name."""
    return (*application.claim_mappings, *tenant.claim_mappings)


def _tenant(db: TenantSession) -> TenantFacts:
    tenant = recall(db, installation.find_tenant, db.tenant_id)
    return tenant or require_tenant(db)


def claims_for_user(
    db: TenantSession,
    user: UserFacts,
    application: ApplicationFacts,
    api: ResourceServerFacts | None,
    organization_id: str | None = None,
) -> TokenClaims:
    """Roles and permissions are read only where a claim wants them; those that a member has
    within the organization are among them.
    """
    mappings = mappings_of(_tenant(db), application)
    wanted = {mapping.source for mapping in mappings}
    names: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    if ClaimSource.ROLES in wanted:
        held = roles.of_each_user(db, [user.id]).get(user.id, ())
        if organization_id is not None:
            held = (*held, *_roles_within(db, organization_id, user.id))
        names = tuple(dict.fromkeys(role.name for role in held))
    if api and (api.token_dialect.has_permissions or ClaimSource.PERMISSIONS in wanted):
        permissions = permitted_to_user(db, user.id, api, organization_id)
    return TokenClaims(
        mappings,
        ClaimSources(
            user_metadata=user.user_metadata,
            app_metadata=user.app_metadata,
            application_metadata=application.application_metadata,
            roles=names,
            permissions=permissions,
        ),
    )


def _roles_within(db: TenantSession, organization_id: str, user_id: str) -> tuple[RoleFacts, ...]:
    member = organization_members.find(db, organization_id, user_id)
    return organization_members.roles_of_each(db, [member.id]).get(member.id, ()) if member else ()


def claims_at_userinfo(
    db: TenantSession,
    user: UserFacts,
    application: ApplicationFacts,
    audiences: Sequence[str],
    organization_id: str | None,
) -> TokenClaims:
    """The same for the bearer of a token, with the permissions at the API that it is for."""
    apis = resource_servers.find_by_identifiers(db, audiences)
    return claims_for_user(db, user, application, next(iter(apis.values()), None), organization_id)


def claims_for_application(
    tenant: TenantFacts, application: ApplicationFacts, granted: tuple[str, ...]
) -> TokenClaims:
    """For an application that speaks for itself: its permissions are the scopes it was granted."""
    return TokenClaims(
        mappings_of(tenant, application),
        ClaimSources(
            user_metadata={},
            app_metadata={},
            application_metadata=application.application_metadata,
            permissions=granted,
        ),
    )
