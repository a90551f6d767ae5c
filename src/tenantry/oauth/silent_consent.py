"""OpenID Connect Core §3.1.2.4 where no page can be shown: the user must have answered before."""

from __future__ import annotations

from tenantry.core.facts import ApplicationFacts, ResourceServerFacts, UserFacts
from tenantry.oauth.errors import require
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.admission import Admission, consented_before, not_withdrawn
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
    require(consented_before(application, api, scopes, stored))


def still_allowed(
    db: TenantSession,
    address: TenantAddress,
    application: ApplicationFacts,
    audience: str | None,
    user: UserFacts,
) -> Admission:
    """Whether the person has not taken back what a third party was allowed a moment ago."""
    if application.is_first_party:
        return not_withdrawn(application, None)
    named = audience or address.userinfo_audience
    return not_withdrawn(application, consents.find(db, user.id, application.client_id, named))
