"""RFC 6749 §4.1.2: where an answer to an authorization request goes, an error before all others.

Law: until the redirect URI is decided an error is a page, after it a redirect.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.oauth.response_types import JWT


class PageError(Exception):
    """An error before the redirect URI is trusted: a page, never a redirect."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class ResponseTarget:
    """Where the answer goes, and how. It was registered by the application.

    `openid_client_id` is the application that gets `session_state` with an answer.
    """

    client_id: str
    redirect_uri: str
    response_mode: str
    state: str | None
    openid_client_id: str | None = None

    @property
    def is_secured(self) -> bool:
        """Whether the answer is a JWT (JARM)."""
        return self.response_mode.endswith(f".{JWT}")


class RedirectError(Exception):
    """An error that the application may hear, at its own redirect URI (§4.1.2.1)."""

    def __init__(self, target: ResponseTarget, error: str, description: str) -> None:
        super().__init__(description)
        self.target = target
        self.error = error
        self.description = description
