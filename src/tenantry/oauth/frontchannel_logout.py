"""OpenID Connect Front-Channel Logout 1.0: the browser itself tells the applications.

Law: only registered addresses of applications that took part in the session are framed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from tenantry.core.facts import ApplicationFacts, SessionClientFacts

METADATA = {"frontchannel_logout_supported": True, "frontchannel_logout_session_supported": True}


def frames(
    issuer: str,
    told: Iterable[SessionClientFacts],
    applications: Mapping[str, ApplicationFacts],
) -> tuple[str, ...]:
    """What the sign-out page loads, each address once."""
    found = []
    for one in told:
        application = applications.get(one.client_id)
        if application is not None and application.frontchannel_logout_uri is not None:
            found.append(_frame(application, application.frontchannel_logout_uri, issuer, one.sid))
    return tuple(dict.fromkeys(found))


def _frame(application: ApplicationFacts, uri: str, issuer: str, sid: str) -> str:
    """§2: "If either is included, both MUST be". A query that is there is retained."""
    if not application.frontchannel_logout_session_required:
        return uri
    parts = urlsplit(uri)
    query = urlencode({"iss": issuer, "sid": sid}, quote_via=quote)
    return urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query))
