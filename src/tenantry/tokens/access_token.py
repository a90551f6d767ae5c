"""What an access token says, in each dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tenantry.core.authorization_details import Details
from tenantry.core.confirmation import Confirmation
from tenantry.core.facts import ResourceServerFacts, TokenDialect
from tenantry.core.ids import new_id
from tenantry.rules.authorization import IDENTITY_SCOPES
from tenantry.rules.scopes import cut

_INTROSPECTED = ("aud", "iat", "scope", "permissions", "authorization_details")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokenContent:
    """Times are in epoch seconds, the lifetime in seconds."""

    issuer: str
    subject: str
    audience: Sequence[str]
    scopes: Sequence[str]
    client_id: str
    issued_at: int
    lifetime: int
    dialect: TokenDialect
    is_machine: bool
    auth_time: int | None = None
    acr: str | None = None
    permissions: Sequence[str] = ()
    custom: Mapping[str, Any] = field(default_factory=dict)
    organization: Mapping[str, str] = field(default_factory=dict)
    confirmation: Confirmation | None = None
    authorization_details: Details = ()


def token_audience(
    api: ResourceServerFacts | None, scopes: Sequence[str], userinfo_audience: str
) -> list[str]:
    """The API and, with `openid`, userinfo, unless this server cannot read the API's tokens."""
    if api is None:
        return [userinfo_audience]
    ours = "openid" in scopes and api.tokens_are_ours_to_read
    return [*api.audiences, userinfo_audience] if ours else [*api.audiences]


def token_scopes(
    api: ResourceServerFacts | None, granted: Sequence[str], audience: Sequence[str], userinfo: str
) -> tuple[str, ...]:
    """RFC 9068 §2.2.3: each scope of a token "MUST have meaning for the resources" it is for."""
    if api is None or not api.token_dialect.is_rfc9068:
        return tuple(granted)
    identity = IDENTITY_SCOPES if userinfo in audience else ()
    return cut(granted, (*api.scope_values, *identity))


def token_type(dialect: TokenDialect) -> str:
    """The `typ` header: `at+jwt` in the dialect of RFC 9068 §2.1."""
    return "at+jwt" if dialect.is_rfc9068 else "JWT"


def introspected(content: AccessTokenContent) -> dict[str, Any]:
    """What introspection says of a token that its API alone can read (RFC 7662 §2.2)."""
    claims = access_token_claims(content)
    return {name: claims[name] for name in _INTROSPECTED if name in claims}


def access_token_claims(content: AccessTokenContent) -> dict[str, Any]:
    audience = content.audience[0] if len(content.audience) == 1 else list(content.audience)
    # A custom claim never stands in for one of these.
    claims: dict[str, Any] = {
        **content.custom,
        **content.organization,
        "iss": content.issuer,
        "sub": content.subject,
        "aud": audience,
        "iat": content.issued_at,
        "exp": content.issued_at + content.lifetime,
    }
    if content.confirmation is not None:
        claims["cnf"] = content.confirmation.as_claim()
    if content.authorization_details:
        # RFC 9396 §9.1.
        claims["authorization_details"] = list(content.authorization_details)
    if content.scopes:
        claims["scope"] = " ".join(content.scopes)
    if content.dialect.has_permissions:
        claims["permissions"] = list(content.permissions)
    if content.dialect.is_rfc9068:
        claims |= {"client_id": content.client_id, "jti": new_id()}
        if content.auth_time is not None:
            claims["auth_time"] = content.auth_time
        if content.acr is not None:
            claims["acr"] = content.acr
        return claims
    claims["azp"] = content.client_id
    if content.is_machine:
        claims["gty"] = "client-credentials"
    else:
        # Else two sign-ins within one second would get one token, and end together.
        claims["jti"] = new_id()
    return claims
