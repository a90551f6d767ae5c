"""What a logout token says (OpenID Connect Back-Channel Logout §2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tenantry.core.ids import new_id

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYPE = "logout+jwt"
LIFETIME = 120
"""Seconds. §2.4: "preferably at most two minutes in the future"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutTokenContent:
    """`session_id` is the `sid` that the application was told; None for all sessions of the
    person. `issued_at` is in epoch seconds.
    """

    issuer: str
    subject: str
    client_id: str
    session_id: str | None
    issued_at: int


def logout_token_claims(content: LogoutTokenContent) -> dict[str, Any]:
    # §2.4: "A nonce Claim MUST NOT be present."
    claims: dict[str, Any] = {
        "iss": content.issuer,
        "sub": content.subject,
        "aud": content.client_id,
        "iat": content.issued_at,
        "exp": content.issued_at + LIFETIME,
        "jti": new_id(),
        "events": {EVENT: {}},
    }
    # §2.4: "If a sid Claim is not present, the intent is that all sessions at the RP for the
    # End-User identified by the iss and sub Claims be logged out."
    if content.session_id is not None:
        claims["sid"] = content.session_id
    return claims
