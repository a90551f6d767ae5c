"""RFC 6749 §5.1: the successful answer of the token endpoint."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from tenantry.core.authorization_details import Detail
from tenantry.core.confirmation import Confirmation


class TokenResponse(TypedDict):
    """`expires_in` is in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    scope: NotRequired[str]
    refresh_token: NotRequired[str]
    id_token: NotRequired[str]
    issued_token_type: NotRequired[str]
    authorization_details: NotRequired[list[Detail]]


def token_type(confirmation: Confirmation | None) -> str:
    """RFC 9449 §5: `DPoP` where the token is bound to a key; RFC 8705 §3 leaves it `Bearer`."""
    return "DPoP" if confirmation is not None and confirmation.jkt is not None else "Bearer"
