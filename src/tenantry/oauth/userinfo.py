"""OpenID Connect Core §5.3: what the bearer of a user's access token may know of the user.

Law: only a live token of a live family, with `openid`, for this very issuer's endpoint.
"""

from __future__ import annotations

from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.facts import ApplicationFacts, UserFacts
from tenantry.oauth.bearer import insufficient_scope, invalid_token
from tenantry.rules.claims import released
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.store import applications, tokens, users
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens.verify import InvalidToken, token_digest, verify_access_token


async def userinfo(
    runtime: Runtime, context: RequestContext, unverified_token: str
) -> tuple[dict[str, Any], ApplicationFacts]:
    """The claims, and the application that asks."""
    address = context.address
    tenant = await load_tenant(runtime, address.tenant_id)
    ring = await key_ring(runtime, tenant)
    now = timestamp(runtime.clock.now())
    try:
        claims = verify_access_token(
            unverified_token, ring, address.issuer, address.userinfo_audience, now
        )
    except InvalidToken as error:
        raise invalid_token(str(error)) from None
    if "openid" not in claims.scopes:
        raise insufficient_scope("openid")
    application = await runtime.configuration.get(
        address.tenant_id, applications.find_by_client_id, claims.client_id
    )
    user = await runtime.store.read(
        address.tenant_id, context.caller(), _user_of, claims.subject, unverified_token
    )
    if application is None or user is None:
        raise invalid_token("the application, the user or the token family is gone")
    answer = released(user, claims.scopes, oidc_conformant=application.oidc_conformant)
    return answer, application


def _user_of(db: TenantSession, user_id: str, unverified_token: str) -> UserFacts | None:
    family = tokens.family_of_access_token(db, token_digest(unverified_token))
    if family is None or family.ended_at is not None or family.user_id != user_id:
        return None
    user = users.find(db, user_id)
    return user if user and not user.blocked else None
