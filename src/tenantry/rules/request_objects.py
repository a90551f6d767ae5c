"""RFC 9101 §4 and §6.2: what the claims of a request object must say, and how long it is good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenantry.core.facts import ApplicationFacts
from tenantry.rules.numeric_date import NotATime, numeric_date

LEEWAY = 30
"""Seconds by which the application's clock may be ahead."""
MIN_LIFETIME, MAX_LIFETIME = 60, 3600


def lifetime(application: ApplicationFacts) -> int | None:
    """The longest life of its request objects in seconds; None where they need say nothing."""
    return application.request_object_lifetime


def why_not_claims(
    claims: Mapping[str, Any], application: ApplicationFacts, issuer: str, now: int
) -> str | None:
    """Why a request object is refused, as the application is told; None where it is good."""
    client_id, longest = application.client_id, lifetime(application)
    if claims.get("client_id", client_id) != client_id or claims.get("iss", client_id) != client_id:
        return "The iss or client_id of the request object is another application's."
    # §10.8: else a client assertion would be a request object, or the reverse.
    if claims.get("sub") == client_id:
        return "The request object must not have the client_id as its sub."
    if longest is not None and not {"iss", "aud", "nbf", "exp"} <= claims.keys():
        return "The request object must have iss, aud, nbf and exp."
    named = claims.get("aud", issuer)
    if issuer not in (named if isinstance(named, list) else [named]):
        return "The request object is for another audience."
    # §4: "request and request_uri parameters MUST NOT be included in Request Objects".
    if "request" in claims or "request_uri" in claims:
        return "A request object holds no other."
    try:
        times = {name: numeric_date(claims, name) for name in ("exp", "iat", "nbf")}
    except NotATime as error:
        return f"The {error.name} of the request object is not a time."
    return _why_not_now(times, longest, now)


def _why_not_now(times: Mapping[str, int | None], longest: int | None, now: int) -> str | None:
    expires_at, issued_at, begins_at = times["exp"], times["iat"], times["nbf"]
    if expires_at is not None and expires_at <= now:
        return "The request object has expired."
    if max(issued_at or 0, begins_at or 0) > now + LEEWAY:
        return "The request object is from the future."
    if longest is None:
        return None
    # FAPI 1.0 Advanced §5.2.2 and FAPI 2.0 Message Signing §5.3: "no longer than 60 minutes".
    if expires_at is None or begins_at is None:
        return "The request object must have iss, aud, nbf and exp."
    if begins_at < now - longest:
        return f"The nbf of the request object is more than {longest} seconds ago."
    if expires_at - begins_at > longest:
        return f"The exp of the request object is more than {longest} seconds after its nbf."
    return None
