"""What the tokens of a user would say now: decided as it is when they are issued."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.facts import (
    ApplicationFacts,
    ClaimTarget,
    ResourceServerFacts,
    TokenDialect,
    UserFacts,
)
from tenantry.rules import claims
from tenantry.rules.addresses import Addresses, TenantAddress
from tenantry.rules.authorization import Refused
from tenantry.rules.custom_claims import CustomClaims, DroppedClaim
from tenantry.services.apis import find_api_in
from tenantry.services.applications import require_tenant
from tenantry.services.subjects import subject_of
from tenantry.services.token_claims import TokenClaims, claims_for_user
from tenantry.services.user_flow import decide_for
from tenantry.store import applications, users
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens.access_token import (
    AccessTokenContent,
    access_token_claims,
    token_audience,
    token_scopes,
)

_USERINFO_LIFETIME = 86_400


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


@dataclass(frozen=True, slots=True)
class _Granted:
    address: TenantAddress
    application: ApplicationFacts
    user: UserFacts
    api: ResourceServerFacts | None
    scopes: tuple[str, ...]
    subject: str


def preview(
    db: TenantSession, addresses: Addresses, address: TenantAddress, asked: PreviewRequest
) -> PreviewedClaims | None:
    """None where the user or the application is not known."""
    user = users.find(db, asked.user_id)
    application = applications.find_by_client_id(db, asked.client_id)
    if user is None or application is None:
        return None
    audience = asked.audience or require_tenant(db).default_audience
    api = find_api_in(db, addresses, audience) if audience else None
    decision = decide_for(db, application, api, (audience, asked.scopes), user)
    if isinstance(decision, Refused):
        return PreviewedClaims(error=decision.error, error_description=decision.description)
    subject = subject_of(db.vault, application, user.id)
    granted = _Granted(address, application, user, api, decision.scopes, subject)
    told = claims_for_user(db, user, application, api)
    access_token, first = _access_token(db, granted, told)
    id_token, second = _id_token(db, granted, told)
    userinfo, third = _userinfo(granted, told)
    dropped = {*first.dropped, *second.dropped, *third.dropped}
    return PreviewedClaims(
        access_token=access_token,
        id_token=id_token,
        userinfo=userinfo,
        dropped=tuple(sorted(dropped, key=lambda each: (each.claim, each.reason))),
    )


_NOTHING = CustomClaims({})


def _access_token(
    db: TenantSession, granted: _Granted, told: TokenClaims
) -> tuple[dict[str, Any], CustomClaims]:
    api, custom = granted.api, told.custom(ClaimTarget.ACCESS_TOKEN)
    audience = token_audience(api, granted.scopes, granted.address.userinfo_audience)
    content = AccessTokenContent(
        issuer=granted.address.issuer,
        subject=granted.subject,
        audience=audience,
        scopes=token_scopes(api, granted.scopes, audience, granted.address.userinfo_audience),
        client_id=granted.application.client_id,
        issued_at=timestamp(db.now),
        lifetime=api.token_lifetime if api else _USERINFO_LIFETIME,
        dialect=api.token_dialect if api else TokenDialect.ACCESS_TOKEN,
        is_machine=False,
        permissions=told.permissions,
        custom=custom.claims,
    )
    return access_token_claims(content), custom


def _id_token(
    db: TenantSession, granted: _Granted, told: TokenClaims
) -> tuple[dict[str, Any] | None, CustomClaims]:
    application = granted.application
    if "openid" not in granted.scopes:
        return None, _NOTHING
    profile: dict[str, Any] = {}
    if application.is_first_party and not application.oidc_conformant:
        profile = claims.released(granted.user, granted.scopes, oidc_conformant=False)
    custom = told.custom(ClaimTarget.ID_TOKEN, taken=profile)
    now = timestamp(db.now)
    standard = {
        "iss": granted.address.issuer,
        "sub": granted.subject,
        "aud": application.client_id,
        "iat": now,
        "exp": now + application.id_token_lifetime,
    }
    return {**profile, **custom.claims, **standard}, custom


def _userinfo(granted: _Granted, told: TokenClaims) -> tuple[dict[str, Any] | None, CustomClaims]:
    api = granted.api
    if "openid" not in granted.scopes or (api and not api.tokens_are_ours_to_read):
        return None, _NOTHING
    conformant = granted.application.oidc_conformant
    answer = claims.released(granted.user, granted.scopes, oidc_conformant=conformant)
    answer["sub"] = granted.subject
    custom = told.custom(ClaimTarget.USERINFO, taken=answer)
    return {**answer, **custom.claims}, custom
