"""RFC 7523 §2.1: an application trades the assertion of a trusted issuer for a user's token.

Law: an assertion counts once, for this server, and only where the tenant trusts its issuer; no
refresh token comes of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.context import Actor
from tenantry.core.facts import GrantType, TrustedIssuerFacts, TrustedSubject, UserFacts
from tenantry.keys.client_keys import BadSignature, read_jwt, verify_with_keys
from tenantry.keys.signing import KeyRing
from tenantry.oauth import user_tokens
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.errors import OAuthError, invalid_grant, refusal, require
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.resource_indicators import read_target
from tenantry.oauth.silent_consent import require_consent
from tenantry.oauth.token_response import TokenResponse
from tenantry.rules import admission
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.authorization import OFFLINE_ACCESS, Refused
from tenantry.rules.fields import normalize_email
from tenantry.rules.numeric_date import NotATime, numeric_date
from tenantry.services.apis import find_target_in
from tenantry.services.client_keys import keys_of
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.services.user_flow import decide_for
from tenantry.store import connections, replay_identifiers, trusted_issuers, users
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens import issue

GRANT_TYPE = GrantType.JWT_BEARER.value
ALGORITHMS = ("RS256", "RS384", "PS256", "ES256", "EdDSA")
MAX_LIFETIME = 3_600
"""Seconds from now to `exp`."""
LEEWAY = 30
_MAX_TEXT = 255


@dataclass(frozen=True, slots=True)
class _Asserted:
    """What a good assertion says, and when it ends in epoch seconds."""

    issuer: TrustedIssuerFacts
    subject: str
    jti: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class _Asked:
    audience: str
    scopes: tuple[str, ...]


async def grant(
    runtime: Runtime,
    context: RequestContext,
    client: AuthenticatedClient,
    parameters: Parameters,
) -> TokenResponse:
    application, address = client.application, context.address
    require(admission.may_use(application, GrantType.JWT_BEARER))
    tenant = await load_tenant(runtime, address.tenant_id)
    audience = read_target(parameters, tenant) or tenant.default_audience
    require(admission.has_audience(audience))
    scopes = tuple(scope for scope in parameters.scopes() if scope != OFFLINE_ACCESS)
    try:
        asserted = await _verify(runtime, context, parameters.require("assertion"))
    except BadSignature as error:
        raise invalid_grant(admission.WRONG_ASSERTION, str(error)) from None
    require(admission.is_trusted_for(asserted.issuer, audience or ""))
    ring = await key_ring(runtime, tenant)
    actor = Actor("application", application.client_id, application.name, tenant.id)
    return await runtime.store.write(
        tenant.id,
        context.caller(actor),
        _redeem,
        runtime,
        address,
        client,
        _Asked(audience or "", scopes),
        asserted,
        ring,
    )


async def _verify(
    runtime: Runtime, context: RequestContext, unverified_assertion: str
) -> _Asserted:
    """RFC 7523 §3: issuer, signature, then the other claims."""
    message = read_jwt(unverified_assertion)
    unverified_issuer = message.unverified_claims.get("iss")
    if not isinstance(unverified_issuer, str) or not _is_text(unverified_issuer):
        raise BadSignature("no iss")
    tenant_id = context.address.tenant_id
    trusted = await runtime.configuration.get(
        tenant_id, trusted_issuers.find_by_issuer, unverified_issuer
    )
    if isinstance(admission.knows_issuer(trusted), Refused) or trusted is None:
        raise BadSignature("its issuer is not trusted")
    if message.typ not in {"", "jwt"}:
        raise BadSignature("another typ")
    keys = await keys_of(runtime, tenant_id, trusted, message.kid)
    claims = verify_with_keys(message, keys, ALGORITHMS)
    issuer = context.address.issuer
    # §3 (3): "The JWT MUST contain an aud claim that identifies the authorization server".
    named = claims.get("aud")
    listed = named if isinstance(named, list) else [named]
    if not any(name in (issuer, f"{issuer}oauth/token") for name in listed):
        raise BadSignature("another audience")
    expires_at = _check_times(claims, timestamp(runtime.clock.now()))
    subject, jti = claims.get("sub"), claims.get("jti")
    if not _is_text(subject) or not _is_text(jti):
        raise BadSignature("no sub or no jti")
    return _Asserted(trusted, str(subject), str(jti), expires_at)


def _is_text(value: Any) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT or "\x00" in value:
        return False
    return value.isascii() or value.encode(errors="ignore").decode() == value


def _check_times(claims: Mapping[str, Any], now: int) -> int:
    """§3 (4) to (6), with `iat` required."""
    try:
        expires_at, issued_at, not_before = (
            numeric_date(claims, name) for name in ("exp", "iat", "nbf")
        )
    except NotATime as error:
        raise BadSignature(str(error)) from None
    if expires_at is None or issued_at is None or expires_at <= now:
        raise BadSignature("expired, or without exp or iat")
    if max(issued_at, not_before or 0) > now + LEEWAY:
        raise BadSignature("from the future")
    if expires_at - now > MAX_LIFETIME + LEEWAY:
        raise BadSignature("it lives too long")
    return expires_at


def _redeem(
    db: TenantSession,
    runtime: Runtime,
    address: TenantAddress,
    client: AuthenticatedClient,
    asked: _Asked,
    asserted: _Asserted,
    ring: KeyRing,
) -> TokenResponse:
    """Find, decide, claim, issue."""
    user = _user(db, asserted)
    wrong = admission.WRONG_ASSERTION
    require(admission.not_blocked(user, "invalid_grant", wrong), "no such user, or blocked")
    if user is None:
        raise invalid_grant(wrong)
    api = find_target_in(db, runtime.addresses, asked.audience)
    decision = decide_for(db, client.application, api, (asked.audience, asked.scopes), user)
    if isinstance(decision, Refused):
        raise refusal(decision)
    if api is None:
        raise OAuthError("invalid_target", admission.UNKNOWN_AUDIENCE)
    require_consent(db, client.application, api, decision.scopes, user)
    # §3 (7): the `jti` is remembered for as long as the assertion would be good.
    used = hashlib.sha256(f"{asserted.issuer.issuer}\n{asserted.jti}".encode()).hexdigest()
    until = datetime.fromtimestamp(asserted.expires_at, UTC) + timedelta(seconds=LEEWAY)
    if not replay_identifiers.claim(db, f"jwt_bearer:{used}", until):
        raise invalid_grant(wrong, "used before")
    return user_tokens.issue_tokens(
        db,
        address,
        user_tokens.UserGrant(
            grant_type=GRANT_TYPE,
            client=client,
            user=user,
            api=api,
            scopes=decision.scopes,
            session_id=None,
            auth_time=db.now,
            nonce=None,
            family_id=issue.new_family_id(),
        ),
        ring,
    )


def _user(db: TenantSession, asserted: _Asserted) -> UserFacts | None:
    """Whom `sub` names: a user by id, or by the email in one connection."""
    if asserted.issuer.subject is TrustedSubject.USER_ID:
        return users.find(db, asserted.subject)
    connection = connections.find_by_name(db, asserted.issuer.connection or "")
    if connection is None:
        return None
    wanted = normalize_email(asserted.subject)
    for login in users.find_logins(db, (connection.id,), asserted.subject):
        if login.user.email and normalize_email(login.user.email) == wanted:
            return login.user
    return None
