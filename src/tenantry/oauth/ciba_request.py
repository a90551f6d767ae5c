"""CIBA Core §7.1.1: an authentication request as a signed JWT.

Law: the signature is by the application's registered keys, each JWT counts once, and nothing of
the request may stand beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.credentials import CredentialUse
from tenantry.core.facts import ApplicationFacts
from tenantry.keys.client_keys import BadSignature, read_jwt, verify_with_keys
from tenantry.oauth.errors import OAuthError, invalid_request
from tenantry.oauth.parameters import Parameters
from tenantry.rules import compliance
from tenantry.rules.client_keys import ASYMMETRIC
from tenantry.rules.fields import encodable
from tenantry.rules.numeric_date import NotATime, numeric_date
from tenantry.services.client_keys import keys_for
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime

ALGORITHMS = tuple(alg.value for alg in ASYMMETRIC)
LEEWAY = 30
MAX_LIFETIME = 3600
"""The most seconds from the beginning of a request object to its end."""
_MAX_JTI = 256
# §7.1, with what this server adds to it. What is not recognized is ignored (§7.2), and what
# authenticates the application stays outside.
_INSIDE = frozenset(
    {
        "scope",
        "client_notification_token",
        "acr_values",
        "login_hint_token",
        "id_token_hint",
        "login_hint",
        "binding_message",
        "user_code",
        "requested_expiry",
        "audience",
        "resource",
        "organization",
        "authorization_details",
    }
)
_ABOUT = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti", "sub", "client_id"})


async def opened(
    runtime: Runtime,
    context: RequestContext,
    application: ApplicationFacts,
    parameters: Parameters,
) -> Parameters:
    """The parameters that count: those inside where there is a request object."""
    token = parameters.get("request")
    required = application.backchannel_authentication_request_signing_alg
    if parameters.get("request_uri") is not None:
        raise invalid_request("The parameter request_uri has no place in this request.")
    if token is None:
        # §4: registered, it is "the JWS algorithm alg value that the Client will use".
        if required is not None or application.require_signed_request_object:
            raise invalid_request("The application must send a signed parameter request.")
        return parameters
    # §7.1.1: "Authentication request parameters MUST NOT be present outside of the JWT".
    if _INSIDE & set(parameters.as_mapping()):
        raise invalid_request("Every parameter of the request belongs into the request object.")
    allowed = compliance.request_algorithms(
        application, ASYMMETRIC if required is None else (required,)
    )
    try:
        message = read_jwt(token)
        if message.alg not in allowed:
            raise BadSignature("an algorithm that is not allowed")
        use = CredentialUse.REQUEST_OBJECTS
        keys = await keys_for(runtime, context.address.tenant_id, application, use, message.kid)
        claims = verify_with_keys(message, keys, allowed)
    except BadSignature as error:
        raise _refused("The request object is not signed as registered.", str(error)) from None
    now = timestamp(runtime.clock.now())
    expires_at = _check(claims, application.client_id, context.address.issuer, now)
    digest = hashlib.sha256(f"{application.client_id}\n{claims['jti']}".encode()).hexdigest()
    if not await runtime.replays.claim(
        context.address.tenant_id,
        f"ciba_request:{digest}",
        datetime.fromtimestamp(expires_at, UTC) + timedelta(seconds=LEEWAY),
    ):
        raise _refused("The jti of the request object was used before.")
    return Parameters(_pairs(claims))


def _check(claims: Mapping[str, Any], client_id: str, issuer: str, now: int) -> int:
    """§7.1.1: the claims that it "MUST contain". Returns when it ends."""
    if claims.get("iss") != client_id or claims.get("client_id", client_id) != client_id:
        raise _refused("The iss of the request object is not the client_id.")
    # Else a client assertion would be a request object.
    if claims.get("sub") == client_id:
        raise _refused("The request object must not have the client_id as its sub.")
    named = claims.get("aud")
    if issuer not in (named if isinstance(named, list) else [named]):
        raise _refused("The aud of the request object is not this server.")
    try:
        times = {name: numeric_date(claims, name) for name in ("exp", "iat", "nbf")}
    except NotATime as error:
        raise _refused(f"The {error.name} of the request object is not a time.") from None
    expires_at, issued_at, begins = times["exp"], times["iat"], times["nbf"]
    if expires_at is None or issued_at is None or begins is None:
        raise _refused("The request object needs exp, iat and nbf.")
    if expires_at <= now:
        raise _refused("The request object has expired.")
    if max(issued_at, begins) > now + LEEWAY:
        raise _refused("The request object is from the future.")
    if begins < now - MAX_LIFETIME - LEEWAY or expires_at - begins > MAX_LIFETIME + LEEWAY:
        raise _refused("The request object lives too long.")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI or not encodable(jti):
        raise _refused("The request object needs a jti.")
    if "request" in claims or "request_uri" in claims:
        raise _refused("A request object holds no other.")
    return expires_at


def _pairs(claims: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Claims as parameters: numbers as their digits, objects as their JSON."""
    for name, value in claims.items():
        if name in _ABOUT or value is None:
            continue
        if name == "resource" and isinstance(value, list):
            yield from ((name, _written(item)) for item in value)
        else:
            yield name, _written(value)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _refused(description: str, cause: str = "") -> OAuthError:
    # §13 knows no code of its own for it.
    return OAuthError("invalid_request", description, cause=cause)
