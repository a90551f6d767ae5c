"""OAuth errors: what the developer may read, apart from what only the log may hold."""

from __future__ import annotations

from collections.abc import Mapping

from tenantry.rules.admission import Admission
from tenantry.rules.authorization import Refused


class OAuthError(Exception):
    """An error of RFC 6749 §5.2 and its relatives. `description` names the parameter."""

    def __init__(
        self,
        error: str,
        description: str,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
        cause: str = "",
    ) -> None:
        super().__init__(cause or description)
        self.error = error
        self.description = description
        self.status = status
        self.headers = dict(headers or {})


class InvalidClient(OAuthError):
    """RFC 6749 §5.2: 401, with a challenge for Basic. One text for every reason, but for those
    that only the application itself can meet.
    """

    def __init__(
        self, cause: str, description: str = "The application could not be authenticated."
    ) -> None:
        super().__init__(
            "invalid_client",
            description,
            401,
            {"WWW-Authenticate": 'Basic realm="token endpoint", charset="UTF-8"'},
            cause,
        )


def refusal(found: Refused, cause: str = "") -> OAuthError:
    """What a rule refused, as it is told."""
    return OAuthError(found.error, found.description, found.status, cause=cause)


def require(found: Admission, cause: str = "") -> None:
    """Raises what a rule refused."""
    if isinstance(found, Refused):
        raise refusal(found, cause)


def invalid_request(description: str) -> OAuthError:
    return OAuthError("invalid_request", description)


def invalid_grant(description: str, cause: str = "") -> OAuthError:
    return OAuthError("invalid_grant", description, cause=cause)
