"""RFC 6749 §4.1.3, RFC 8628 §3.4, CIBA Core §10.1: what a person allowed becomes tokens.

Law: what was allowed is judged again, as things are now. Nothing is claimed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tenantry.core.authorization_details import Details
from tenantry.core.facts import ApplicationFacts, ResourceServerFacts, UserFacts
from tenantry.core.organizations import OrganizationFacts
from tenantry.oauth import rar
from tenantry.oauth.errors import OAuthError, invalid_grant, refusal
from tenantry.oauth.membership import organization_in, still_within
from tenantry.oauth.resource_indicators import Granted, aim, narrowed
from tenantry.oauth.silent_consent import still_allowed
from tenantry.rules.addresses import Addresses, TenantAddress
from tenantry.rules.admission import API_GONE, SIGN_IN_AGAIN
from tenantry.rules.authentication import has_new_password
from tenantry.rules.authorization import Refused
from tenantry.services.user_flow import detail_types_for
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class Promised:
    """What a code stands for: what the person allowed, signed in since when."""

    user: UserFacts | None
    auth_time: datetime
    granted: Granted
    organization_id: str | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What the tokens are for. `api` is None for `/userinfo` alone."""

    user: UserFacts
    api: ResourceServerFacts | None
    scopes: tuple[str, ...]
    details: Details
    organization: OrganizationFacts | None


def due(
    db: TenantSession,
    addresses: Addresses,
    address: TenantAddress,
    application: ApplicationFacts,
    promised: Promised,
    asked_audience: str | None,
    asked_details: Details = (),
) -> Due | OAuthError:
    """What is left of a promise, and of that what the token request asks for."""
    user, granted = promised.user, promised.granted
    if user is None or user.blocked or has_new_password(user, promised.auth_time):
        return invalid_grant(SIGN_IN_AGAIN)
    allowed = still_allowed(db, address, application, granted.audience, user)
    if isinstance(allowed, Refused):
        return refusal(allowed)
    aimed = aim(db, addresses, address, granted.audience, asked_audience)
    if isinstance(aimed, OAuthError):
        return aimed
    if aimed.audience and aimed.api is None:
        return invalid_grant(API_GONE)
    within = still_within(db, promised.organization_id, user)
    if isinstance(within, OAuthError):
        return within
    scopes = narrowed(db, application, aimed, granted, user, within)
    if isinstance(scopes, OAuthError):
        return scopes
    types = detail_types_for(db, application, aimed.api) if granted.details else ()
    details = rar.narrowed(granted.details, asked_details, types)
    if isinstance(details, OAuthError):
        return details
    return Due(user, aimed.api, scopes, details, organization_in(within))
