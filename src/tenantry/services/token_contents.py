"""What tokens say: one room for those that are issued and those that are only explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenantry.core.authorization_details import Details
from tenantry.core.clock import timestamp
from tenantry.core.confirmation import Confirmation
from tenantry.core.facts import (
    ApplicationFacts,
    ClaimTarget,
    ResourceServerFacts,
    TenantFacts,
    TokenDialect,
    UserFacts,
)
from tenantry.core.organizations import OrganizationFacts
from tenantry.rules import claims
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.custom_claims import CustomClaims
from tenantry.services.organization_access import claims_in, claims_of
from tenantry.services.subjects import subject_of
from tenantry.services.token_claims import TokenClaims, claims_for_application
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens.access_token import AccessTokenContent, token_audience, token_scopes

Wanted = Mapping[str, Sequence[Any] | None]
"""Claims that were asked for one by one, each with the values that alone are wanted, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTokenFacts:
    """Whose tokens they are, and for what. `api` is None for `/userinfo` alone.

    `told` is what the claims of one's own have to say. `alone` says that no access token stands
    beside the ID token.
    """

    application: ApplicationFacts
    user: UserFacts
    api: ResourceServerFacts | None
    scopes: tuple[str, ...]
    told: TokenClaims
    alone: bool = False
    organization: OrganizationFacts | None = None
    details: Details = ()


def access_token_of_user(
    db: TenantSession,
    address: TenantAddress,
    facts: UserTokenFacts,
    lifetime: int,
    *,
    auth_time: int | None,
    acting: Mapping[str, Any],
) -> AccessTokenContent:
    """`acting` are claims of the grant itself, such as `act`."""
    api = facts.api
    audience = token_audience(api, facts.scopes, address.userinfo_audience)
    return AccessTokenContent(
        issuer=address.issuer,
        subject=subject_of(db.vault, facts.application, facts.user.id),
        audience=audience,
        scopes=token_scopes(api, facts.scopes, audience, address.userinfo_audience),
        client_id=facts.application.client_id,
        issued_at=timestamp(db.now),
        lifetime=lifetime,
        dialect=api.token_dialect if api else TokenDialect.ACCESS_TOKEN,
        is_machine=False,
        auth_time=auth_time,
        permissions=facts.told.permissions,
        custom={**facts.told.custom(ClaimTarget.ACCESS_TOKEN).claims, **acting},
        organization=claims_in(db, facts.organization),
        authorization_details=facts.details,
    )


def access_token_of_application(
    address: TenantAddress,
    tenant: TenantFacts,
    application: ApplicationFacts,
    api: ResourceServerFacts,
    scopes: tuple[str, ...],
    issued_at: int,
    organization: OrganizationFacts | None = None,
    confirmation: Confirmation | None = None,
) -> AccessTokenContent:
    """RFC 6749 §4.4: the application speaks for itself."""
    told = claims_for_application(tenant, application, scopes)
    return AccessTokenContent(
        issuer=address.issuer,
        subject=f"{application.client_id}@clients",
        audience=api.audiences,
        scopes=scopes,
        client_id=application.client_id,
        issued_at=issued_at,
        lifetime=api.token_lifetime,
        dialect=api.token_dialect,
        is_machine=True,
        permissions=told.permissions,
        custom=told.custom(ClaimTarget.ACCESS_TOKEN).claims,
        organization=claims_of(tenant, organization),
        confirmation=confirmation,
    )


def id_token_profile(facts: UserTokenFacts, wanted: Wanted) -> tuple[dict[str, Any], CustomClaims]:
    """The claims of the person in an ID token, and those that are the tenant's own.

    §5.4: with an access token the claims of scopes are for userinfo; older applications that
    belong to the tenant itself expect them in the ID token as well.
    """
    application = facts.application
    richer = facts.alone or (application.is_first_party and not application.oidc_conformant)
    profile = claims.requested(facts.user, wanted, oidc_conformant=application.oidc_conformant)
    if richer:
        conformant = facts.alone and application.oidc_conformant
        profile |= claims.released(facts.user, facts.scopes, oidc_conformant=conformant)
    custom = facts.told.custom(ClaimTarget.ID_TOKEN, taken=profile)
    return profile | custom.claims, custom


def userinfo_answer(
    user: UserFacts,
    application: ApplicationFacts,
    scopes: Sequence[str],
    wanted: Wanted,
    subject: str,
) -> dict[str, Any]:
    """OpenID Connect Core §5.3.2, without the claims of the tenant's own."""
    conformant = application.oidc_conformant
    return {
        **claims.released(user, scopes, oidc_conformant=conformant),
        **claims.requested(user, wanted, oidc_conformant=conformant),
        "sub": subject,
    }
