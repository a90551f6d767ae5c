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
    TenantFacts,
    UserFacts,
)
from tenantry.rules.custom_claims import ClaimSources, CustomClaims, custom
from tenantry.services.apis import permitted_to_user
from tenantry.services.applications import require_tenant
from tenantry.store import installation, resource_servers, roles
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
) -> TokenClaims:
    """Roles and permissions are read only where a claim wants them."""
    mappings = mappings_of(_tenant(db), application)
    wanted = {mapping.source for mapping in mappings}
    names: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    if ClaimSource.ROLES in wanted:
        held = roles.of_each_user(db, [user.id]).get(user.id, ())
        names = tuple(role.name for role in held)
    if api and (api.token_dialect.has_permissions or ClaimSource.PERMISSIONS in wanted):
        permissions = permitted_to_user(db, user.id, api)
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


def claims_at_userinfo(
    db: TenantSession, user: UserFacts, application: ApplicationFacts, audiences: Sequence[str]
) -> TokenClaims:
    """The same for the bearer of a token, with the permissions at the API that it is for."""
    apis = resource_servers.find_by_identifiers(db, audiences)
    return claims_for_user(db, user, application, next(iter(apis.values()), None))


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
