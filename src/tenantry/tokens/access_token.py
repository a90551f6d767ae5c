"""What an access token says, in each dialect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tenantry.core.facts import TokenDialect
from tenantry.core.ids import new_id


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


def token_type(dialect: TokenDialect) -> str:
    """The `typ` header: `at+jwt` in the dialect of RFC 9068 §2.1."""
    return "at+jwt" if dialect is TokenDialect.RFC9068_PROFILE else "JWT"


def access_token_claims(content: AccessTokenContent) -> dict[str, Any]:
    audience = content.audience[0] if len(content.audience) == 1 else list(content.audience)
    claims: dict[str, Any] = {
        "iss": content.issuer,
        "sub": content.subject,
        "aud": audience,
        "iat": content.issued_at,
        "exp": content.issued_at + content.lifetime,
    }
    if content.scopes:
        claims["scope"] = " ".join(content.scopes)
    if content.dialect is TokenDialect.RFC9068_PROFILE:
        claims |= {"client_id": content.client_id, "jti": new_id()}
        if content.auth_time is not None:
            claims["auth_time"] = content.auth_time
        return claims
    claims["azp"] = content.client_id
    if content.is_machine:
        claims["gty"] = "client-credentials"
    else:
        # Else two sign-ins within one second would get one token, and end together.
        claims["jti"] = new_id()
    return claims
