"""RFC 8707: which APIs a token is for.

Law: what a token request names is among what was granted, and a token for less can do less.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.authorization_details import Details
from tenantry.core.facts import (
    ApplicationFacts,
    ResourceParameterProfile,
    ResourceServerFacts,
    TenantFacts,
    UserFacts,
)
from tenantry.oauth.errors import OAuthError
from tenantry.oauth.parameters import Parameters
from tenantry.rules.addresses import Addresses, TenantAddress
from tenantry.rules.authorization import Refused
from tenantry.services.apis import find_target_in
from tenantry.services.organization_access import Within
from tenantry.services.user_flow import decide_for
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class Granted:
    """What a person allowed: the audience, None for `/userinfo` alone, the scopes, the details."""

    audience: str | None
    scopes: tuple[str, ...]
    details: Details = ()


@dataclass(frozen=True, slots=True)
class Aim:
    """What one answer is for. `api` is None for `/userinfo` alone, or where the API is gone."""

    audience: str | None
    api: ResourceServerFacts | None


def takes_several(tenant: TenantFacts) -> bool:
    return tenant.resource_parameter_profile is ResourceParameterProfile.SEVERAL


def read_target(parameters: Parameters, tenant: TenantFacts) -> str | None:
    """§2: the API that a request names, or the APIs where the tenant takes several."""
    return parameters.audience(several=takes_several(tenant))


def aim(
    db: TenantSession,
    addresses: Addresses,
    address: TenantAddress,
    granted: str | None,
    asked: str | None,
) -> Aim | OAuthError:
    """§2.2: a token request names nothing, or one or more of what was granted."""
    whole = granted or address.userinfo_audience
    if asked is not None and not set(asked.split()) <= set(whole.split()):
        return OAuthError("invalid_target", "The audience or resource was not granted.")
    audience = granted if granted is None or asked is None else asked
    return Aim(audience, find_target_in(db, addresses, audience) if audience else None)


def narrowed(
    db: TenantSession,
    application: ApplicationFacts,
    aimed: Aim,
    granted: Granted,
    user: UserFacts,
    within: Within | None = None,
) -> tuple[str, ...] | OAuthError:
    """The scopes of what was granted that a token for a part of the APIs may have."""
    if aimed.audience == granted.audience:
        return granted.scopes
    asked = (aimed.audience, granted.scopes)
    decision = decide_for(db, application, aimed.api, asked, user, within)
    if isinstance(decision, Refused):
        return OAuthError(decision.error, decision.description, decision.status)
    return decision.scopes
