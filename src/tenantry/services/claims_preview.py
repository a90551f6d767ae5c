"""What the tokens of a user would say now: decided as it is when they are issued."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.facts import ClaimTarget
from tenantry.rules.addresses import Addresses, TenantAddress
from tenantry.rules.admission import one_target
from tenantry.rules.authorization import Refused
from tenantry.rules.custom_claims import CustomClaims, DroppedClaim
from tenantry.rules.lifetimes import access_token_lifetime
from tenantry.services.apis import find_target_in
from tenantry.services.applications import require_tenant
from tenantry.services.organization_access import claims_in
from tenantry.services.subjects import subject_of
from tenantry.services.token_claims import claims_at_userinfo, claims_for_user
from tenantry.services.token_contents import (
    UserTokenFacts,
    access_token_of_user,
    id_token_profile,
    userinfo_answer,
)
from tenantry.services.user_flow import decide_for
from tenantry.store import applications, users
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens.access_token import AccessTokenContent, access_token_claims
from tenantry.tokens.id_token import IdTokenContent, id_token_claims


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    user_id: str
    client_id: str
    audience: str | None
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedClaims:
    """Claims of what would be issued, or the error of the refusal."""

    access_token: dict[str, Any] | None = None
    id_token: dict[str, Any] | None = None
    userinfo: dict[str, Any] | None = None
    dropped: tuple[DroppedClaim, ...] = ()
    error: str | None = None
    error_description: str | None = None


def preview(
    db: TenantSession, addresses: Addresses, address: TenantAddress, asked: PreviewRequest
) -> PreviewedClaims | None:
    """None where the user or the application is not known."""
    user = users.find(db, asked.user_id)
    application = applications.find_by_client_id(db, asked.client_id)
    if user is None or application is None:
        return None
    tenant = require_tenant(db)
    # RFC 8707 §2: several may be named, where the tenant allows that.
    named = sorted({*(asked.audience or tenant.default_audience or "").split()})
    several = one_target(tenant, len(named))
    if isinstance(several, Refused):
        return PreviewedClaims(error=several.error, error_description=several.description)
    audience = " ".join(named) or None
    api = find_target_in(db, addresses, audience) if audience else None
    decision = decide_for(db, application, api, (audience, asked.scopes), user)
    if isinstance(decision, Refused):
        return PreviewedClaims(error=decision.error, error_description=decision.description)
    facts = UserTokenFacts(
        application=application,
        user=user,
        api=api,
        scopes=decision.scopes,
        told=claims_for_user(db, user, application, api),
    )
    return said(db, address, facts, int(access_token_lifetime(api).total_seconds()))


def said(
    db: TenantSession, address: TenantAddress, facts: UserTokenFacts, lifetime: int
) -> PreviewedClaims:
    """What the tokens of a grant and userinfo say, by the code that issues them."""
    content = access_token_of_user(db, address, facts, lifetime, auth_time=None, acting={})
    dropped = set(facts.told.custom(ClaimTarget.ACCESS_TOKEN).dropped)
    id_token = userinfo = None
    if "openid" in facts.scopes:
        id_token, custom = _id_token(db, address, facts)
        dropped |= set(custom.dropped)
    if "openid" in facts.scopes and address.userinfo_audience in content.audience:
        userinfo, custom = _userinfo(db, facts, content)
        dropped |= set(custom.dropped)
    return PreviewedClaims(
        access_token=access_token_claims(content),
        id_token=id_token,
        userinfo=userinfo,
        dropped=tuple(sorted(dropped, key=lambda each: (each.claim, each.reason))),
    )


def _id_token(
    db: TenantSession, address: TenantAddress, facts: UserTokenFacts
) -> tuple[dict[str, Any], CustomClaims]:
    application = facts.application
    profile, custom = id_token_profile(facts, {})
    content = IdTokenContent(
        issuer=address.issuer,
        subject=subject_of(db.vault, application, facts.user.id),
        client_id=application.client_id,
        issued_at=timestamp(db.now),
        lifetime=application.id_token_lifetime,
        auth_time=None,
        session_id="",
        profile=profile,
        organization=claims_in(db, facts.organization),
    )
    return id_token_claims(content, application.id_token_signed_response_alg), custom


def _userinfo(
    db: TenantSession, facts: UserTokenFacts, content: AccessTokenContent
) -> tuple[dict[str, Any], CustomClaims]:
    answer = userinfo_answer(facts.user, facts.application, facts.scopes, {}, content.subject)
    organization_id = facts.organization.id if facts.organization else None
    answer |= claims_in(db, facts.organization)
    told = claims_at_userinfo(db, facts.user, facts.application, content.audience, organization_id)
    custom = told.custom(ClaimTarget.USERINFO, taken=answer)
    return answer | custom.claims, custom
