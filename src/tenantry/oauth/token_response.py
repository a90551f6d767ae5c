"""RFC 6749 §5.1: the successful answer of the token endpoint."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class TokenResponse(TypedDict):
    """`expires_in` is in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    scope: NotRequired[str]
    refresh_token: NotRequired[str]
    id_token: NotRequired[str]
    issued_token_type: NotRequired[str]
