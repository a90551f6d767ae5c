"""RFC 6750: bearer tokens at our own protected resources.

Law: one way per request, never the query.
"""

from __future__ import annotations

from tenantry.oauth.errors import OAuthError
from tenantry.services.possession import PresentedToken, read_authorization


def challenge(error: str = "", description: str = "", scope: str = "") -> str:
    """The value of `WWW-Authenticate` (§3); all texts are our own."""
    parts = [f'error="{error}"'] if error else []
    if description:
        parts.append(f'error_description="{description}"')
    if scope:
        parts.append(f'scope="{scope}"')
    return f"Bearer {', '.join(parts)}".strip()


def read_access_token(
    authorization: str | None, body_token: str | None, query_token: str | None
) -> PresentedToken:
    """The one token of a request, by the scheme `Bearer` or `DPoP` (RFC 9449 §7.1)."""
    presented = read_authorization(authorization or "")
    if presented is None or not presented.by_proof or query_token is not None:
        return PresentedToken(read_token(authorization, body_token, query_token), by_proof=False)
    if body_token is not None:
        raise malformed("The request carries more than one access token.")
    return presented


def invalid_token(cause: str) -> OAuthError:
    description = "The access token is malformed, expired, revoked or not for this resource."
    return OAuthError(
        "invalid_token",
        description,
        401,
        {"WWW-Authenticate": challenge("invalid_token", description)},
        cause,
    )


def insufficient_scope(scope: str) -> OAuthError:
    description = f"The access token lacks the scope {scope}."
    return OAuthError(
        "insufficient_scope",
        description,
        403,
        {"WWW-Authenticate": challenge("insufficient_scope", description, scope)},
    )


def malformed(description: str, status: int = 400) -> OAuthError:
    """§3.1: invalid_request, with a challenge, since no token could be read."""
    headers = {"WWW-Authenticate": challenge("invalid_request", description)}
    return OAuthError("invalid_request", description, status, headers)


def read_token(authorization: str | None, body_token: str | None, query_token: str | None) -> str:
    """The one token of a request (§2), unverified."""
    if query_token is not None:
        raise malformed("An access token in the query is not accepted.")
    if authorization is not None and body_token is not None:
        raise malformed("The request carries more than one access token.")
    if body_token is not None:
        return body_token
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        # §3.1: without any authentication information, no error code is given.
        raise OAuthError(
            "invalid_token", "An access token is required.", 401, {"WWW-Authenticate": challenge()}
        )
    return token.strip()
