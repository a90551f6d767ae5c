"""RFC 7523 §2.2 and §3, OpenID Connect Core §9: an application proves itself by a signed JWT.

Law: an assertion counts once, for an hour at most, for this server, and only by a key that the
application registered.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.credentials import CredentialUse
from tenantry.core.facts import ApplicationFacts, ClientSigningAlgorithm, TokenEndpointAuthMethod
from tenantry.keys.client_keys import (
    BadSignature,
    UnverifiedJwt,
    read_jwt,
    verify_with_keys,
    verify_with_secret,
)
from tenantry.oauth.errors import InvalidClient
from tenantry.rules import compliance
from tenantry.rules.addresses import alias_of
from tenantry.rules.client_keys import assertion_algorithms
from tenantry.rules.fields import encodable
from tenantry.rules.numeric_date import NotATime, numeric_date
from tenantry.services.client_keys import keys_for
from tenantry.services.client_secrets import readable_secret
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = tuple(alg.value for alg in ClientSigningAlgorithm)
MAX_LIFETIME = 3_600
"""Seconds from `iat`, or from now, to `exp`: what common client libraries ask for."""
LEEWAY = 30
"""Seconds by which the application's clock may be ahead."""
_MAX_JTI = 255
_TYPES = frozenset({"", "jwt", "client-authentication+jwt"})


@dataclass(frozen=True, slots=True)
class VerifiedAssertion:
    """Whom an assertion proved; only `verify` makes it."""

    client_id: str


def read_assertion(unverified_type: str | None, unverified_assertion: str | None) -> UnverifiedJwt:
    """§2.2: both parameters, and a JWT that names who it speaks for."""
    if unverified_type != ASSERTION_TYPE or unverified_assertion is None:
        raise InvalidClient("not an assertion of the type jwt-bearer")
    try:
        return read_jwt(unverified_assertion)
    except BadSignature as error:
        raise InvalidClient(f"the assertion is {error}") from None


def unverified_client_id(assertion: UnverifiedJwt) -> str:
    """§3: "The JWT MUST contain a sub claim", here the client_id."""
    subject = assertion.unverified_claims.get("sub")
    if not isinstance(subject, str) or not subject or not encodable(subject):
        raise InvalidClient("the assertion has no sub")
    return subject


async def verify(
    runtime: Runtime,
    context: RequestContext,
    application: ApplicationFacts,
    assertion: UnverifiedJwt,
    endpoint: str,
) -> VerifiedAssertion:
    """Signature, then claims, then the claim of its `jti`. `endpoint` is the URL that was asked."""
    issuer = context.address.issuer
    if assertion.typ not in _TYPES:
        raise InvalidClient("the assertion has another typ")
    try:
        claims = await _signed(runtime, context, application, assertion)
    except BadSignature as error:
        raise InvalidClient(f"the assertion: {error}") from None
    now = timestamp(runtime.clock.now())
    audiences = frozenset({issuer, f"{issuer}oauth/token", endpoint})
    if context.address.takes_certificates:
        audiences |= {alias_of(f"{issuer}oauth/token"), alias_of(endpoint)}
    if compliance.wants_assertion_for_issuer_alone(application) and claims.get("aud") != issuer:
        raise _bad("its aud is not the issuer alone")
    expires_at = _check(dict(claims), application.client_id, audiences, now)
    # §3: "The authorization server MAY ensure that JWTs are not replayed"; here it does.
    digest = hashlib.sha256(f"{application.client_id}\n{claims['jti']}".encode()).hexdigest()
    first = await runtime.replays.claim(
        context.address.tenant_id,
        f"client_assertion:{digest}",
        datetime.fromtimestamp(expires_at, UTC) + timedelta(seconds=LEEWAY),
    )
    if not first:
        raise _bad("its jti was used before")
    return VerifiedAssertion(application.client_id)


async def _signed(
    runtime: Runtime,
    context: RequestContext,
    application: ApplicationFacts,
    assertion: UnverifiedJwt,
) -> Any:
    """OpenID Connect Core §9: by the one kind of key that the registered method names."""
    method = application.token_endpoint_auth_method
    required = application.token_endpoint_auth_signing_alg
    allowed = assertion_algorithms(method) if required is None else (required,)
    allowed = compliance.assertion_algorithms(application, allowed)
    if assertion.alg not in allowed:
        raise BadSignature(f"an algorithm that is not allowed with {method.value}")
    tenant_id = context.address.tenant_id
    if method is TokenEndpointAuthMethod.CLIENT_SECRET_JWT:
        secret = readable_secret(runtime.vault, tenant_id, application)
        return verify_with_secret(assertion, secret)
    use = CredentialUse.CLIENT_AUTHENTICATION
    keys = await keys_for(runtime, tenant_id, application, use, assertion.kid)
    return verify_with_keys(assertion, keys, allowed)


def _check(claims: dict[str, Any], client_id: str, audiences: frozenset[str], now: int) -> int:
    """RFC 7523 §3, and when the assertion ends."""
    # §3 (1) and (2): both name the application.
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise _bad("its iss or sub is not the client_id")
    # §3 (3): "The JWT MUST contain an aud claim that identifies the authorization server".
    named = claims.get("aud")
    listed = named if isinstance(named, list) else [named]
    if not any(isinstance(name, str) and name in audiences for name in listed):
        raise _bad("it is for another audience")
    # §3 (4) to (6).
    expires_at, issued_at = _time(claims, "exp"), _time(claims, "iat")
    not_before = _time(claims, "nbf")
    if expires_at is None or expires_at <= now:
        raise _bad("it has no exp, or has expired")
    if max(issued_at or 0, not_before or 0) > now + LEEWAY:
        raise _bad("it is from the future")
    begins = min(now, now if issued_at is None else issued_at)
    if expires_at - begins > MAX_LIFETIME + LEEWAY:
        raise _bad("it lives too long")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI or not encodable(jti):
        raise _bad("it has no jti")
    return expires_at


def _time(claims: dict[str, Any], name: str) -> int | None:
    try:
        return numeric_date(claims, name)
    except NotATime as error:
        raise _bad(f"its {error}") from None


def _bad(reason: str) -> InvalidClient:
    """Behind a good signature: who hears the reason has the key."""
    return InvalidClient(f"the assertion: {reason}", f"The parameter client_assertion: {reason}.")
