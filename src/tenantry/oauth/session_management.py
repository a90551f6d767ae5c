"""OpenID Connect Session Management 1.0: an application's frame asks whether the sign-in changed.

Law: `session_state` is a hash over a value of its own that script may read, which changes at
each login and logout; the session's cookie has no part in it.
"""

from __future__ import annotations

import hashlib
import secrets

from tenantry.oauth.response_target import ResponseTarget
from tenantry.rules.redirect_uris import origin_of

ENDPOINT = "oidc/check_session"


def metadata(issuer: str) -> dict[str, str]:
    return {"check_session_iframe": f"{issuer}{ENDPOINT}"}


def session_state(target: ResponseTarget, browser_state: str) -> str | None:
    """§3.2: over the client id, the origin, the browser's state and a salt, which follows.

    None where the request was not for OpenID Connect, or no web page gets the answer.
    """
    origin = origin_of(target.redirect_uri)
    if target.openid_client_id is None or origin is None:
        return None
    salt = secrets.token_hex(16)
    text = f"{target.openid_client_id} {origin} {browser_state} {salt}"
    return f"{hashlib.sha256(text.encode()).hexdigest()}.{salt}"
