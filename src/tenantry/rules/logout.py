"""Where applications hear that a person has signed out, and who must agree to that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ApplicationFacts, TenantFacts
from tenantry.rules.fields import MAX_URL, clean_text, split_url
from tenantry.rules.redirect_uris import is_listed, is_local, origin_of

# The host is written into a content security policy.
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")


def logout_uri(value: Any, path: tuple[str, ...]) -> str:
    """Back-Channel Logout §2.2, Front-Channel Logout §2: absolute, https, "MUST NOT include a
    fragment". Plain http is for this machine.
    """
    uri = clean_text(value, path, MAX_URL, 1)
    parts = split_url(uri)
    if parts is None or parts.has_fragment or not _HOST.fullmatch(parts.host):
        raise DomainError(ErrorCode.INVALID, "Must be an absolute URL without fragment.", *path)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local(uri)):
        raise DomainError(ErrorCode.INVALID, "Must be https, or http on this machine.", *path)
    return uri


def require_frontchannel_origin(values: Mapping[str, Any]) -> None:
    """Front-Channel Logout §2: "The domain, port, and scheme of this URL MUST be the same as that
    of a registered Redirection URI value".
    """
    uri = values["frontchannel_logout_uri"]
    if uri is None:
        return
    registered = [origin for entry in values["redirect_uris"] if (origin := origin_of(entry))]
    if not is_listed(origin_of(uri) or "", registered):
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "Must have the scheme, host and port of a redirect URI.",
            "frontchannel_logout_uri",
        )


def asks_for_confirmation(tenant: TenantFacts, application: ApplicationFacts | None) -> bool:
    """Whether a sign-out without an ID token is confirmed: the application's setting first."""
    if application is not None and application.logout_confirmation is not None:
        return application.logout_confirmation
    return tenant.logout_confirmation
