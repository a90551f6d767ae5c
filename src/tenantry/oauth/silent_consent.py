"""OpenID Connect Core §3.1.2.4 where no page can be shown: the user must have answered before."""

from __future__ import annotations

from tenantry.core.facts import ApplicationFacts, ResourceServerFacts, UserFacts
from tenantry.oauth.errors import OAuthError
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.interaction import needs_consent
from tenantry.store import consents
from tenantry.store.unit_of_work import TenantSession


def require_consent(
    db: TenantSession,
    application: ApplicationFacts,
    api: ResourceServerFacts,
    scopes: tuple[str, ...],
    user: UserFacts,
) -> None:
    stored = consents.find(db, user.id, application.client_id, api.identifier)
    if needs_consent(application, api, "", scopes, stored):
        raise OAuthError("invalid_target", "The user has not allowed this application the API.")


def is_withdrawn(
    db: TenantSession,
    address: TenantAddress,
    application: ApplicationFacts,
    audience: str | None,
    user: UserFacts,
) -> bool:
    """Whether the person has taken back what a third party was allowed a moment ago."""
    if application.is_first_party:
        return False
    named = audience or address.userinfo_audience
    return consents.find(db, user.id, application.client_id, named) is None
