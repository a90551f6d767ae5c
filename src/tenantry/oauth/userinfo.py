"""OpenID Connect Core §5.3: what the bearer of a user's access token may know of the user.

Law: only a live token of a live family, with `openid`, for this very issuer's endpoint.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.confirmation import Confirmation
from tenantry.core.facts import ApplicationFacts, ClaimTarget, UserFacts
from tenantry.core.organizations import OrganizationFacts
from tenantry.oauth.bearer import insufficient_scope, invalid_token
from tenantry.services.management_access import load_tenant
from tenantry.services.organization_access import claims_of, find_in
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.services.subjects import subject_of
from tenantry.services.token_claims import claims_at_userinfo, mappings_of
from tenantry.services.token_contents import userinfo_answer
from tenantry.store import applications, presented_tokens
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens import issue
from tenantry.tokens.verify import InvalidToken, token_digest, verify_access_token

Prove = Callable[[ApplicationFacts, Confirmation | None], Awaitable[None]]
"""Whose token it is, and what its bearer has to prove: InvalidToken for who does not."""


async def userinfo(
    runtime: Runtime, context: RequestContext, unverified_token: str, prove: Prove
) -> dict[str, Any] | str:
    """The claims, signed where the application wants that."""
    address = context.address
    tenant = await load_tenant(runtime, address.tenant_id)
    ring = await key_ring(runtime, tenant)
    now = timestamp(runtime.clock.now())
    try:
        claims = verify_access_token(
            unverified_token, ring, address.issuer, address.userinfo_audience, now
        )
        application = await runtime.configuration.get(
            address.tenant_id, applications.find_by_client_id, claims.client_id
        )
        if application is None:
            raise InvalidToken("the application is gone")
        await prove(application, claims.confirmation)
    except InvalidToken as error:
        raise invalid_token(str(error)) from None
    if "openid" not in claims.scopes:
        raise insufficient_scope("openid")
    found = await runtime.store.read(
        address.tenant_id, context.caller(), _user_of, unverified_token
    )
    if found is None:
        raise invalid_token("the user or the token family is gone")
    user, wanted, organization = found
    subject = subject_of(runtime.vault, application, user.id)
    if subject != claims.subject:
        raise invalid_token("another user's")
    answer = userinfo_answer(user, application, claims.scopes, wanted, subject)
    answer |= claims_of(tenant, organization)
    if any(ClaimTarget.USERINFO in each.tokens for each in mappings_of(tenant, application)):
        mapped = await runtime.store.read(
            tenant.id,
            context.caller(),
            claims_at_userinfo,
            user,
            application,
            claims.audiences,
            organization.id if organization else None,
        )
        answer |= mapped.custom(ClaimTarget.USERINFO, taken=answer).claims
    alg = application.userinfo_signed_response_alg
    if alg is None:
        return answer
    # §5.3.2: "If signed, the UserInfo Response MUST contain the Claims iss … and aud".
    signed = {**answer, "iss": address.issuer, "aud": application.client_id}
    return issue.userinfo_answer(signed, ring, alg)


def _user_of(
    db: TenantSession, unverified_token: str
) -> tuple[UserFacts, dict[str, list[Any] | None], OrganizationFacts | None] | None:
    """Whose token it is, the claims that were asked for one by one, and the organization."""
    found = presented_tokens.find(db, token_digest(unverified_token))
    if found is None or found.family.ended_at is not None:
        return None
    user, family = found.user, found.family
    if user is None or user.blocked:
        return None
    return user, family.claims or {}, find_in(db, family.organization_id)
