"""The one room where tokens are signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tenantry.core.confirmation import Confirmation
from tenantry.core.facts import SigningAlgorithm, TokenEncryption
from tenantry.core.ids import new_id
from tenantry.keys.encryption import encrypt_jwt
from tenantry.keys.signing import KeyRing, SigningKey, sign_jwt, sign_jwt_with_secret
from tenantry.store import refresh_tokens, tokens
from tenantry.store.refresh_tokens import RefreshTokenFacts
from tenantry.store.tokens import TokenFamilyFacts
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens import refresh_token as refresh
from tenantry.tokens.access_token import AccessTokenContent, access_token_claims, token_type
from tenantry.tokens.id_token import IdTokenContent, id_token_claims
from tenantry.tokens.logout_token import TYPE as LOGOUT_TOKEN
from tenantry.tokens.logout_token import LogoutTokenContent, logout_token_claims
from tenantry.tokens.verify import token_digest


def _key(ring: KeyRing, alg: SigningAlgorithm) -> SigningKey:
    """The current key of `alg`, or of RS256 where the tenant switched `alg` off meanwhile."""
    return ring.current.get(alg) or ring.current[SigningAlgorithm.RS256]


def access_token(
    content: AccessTokenContent,
    ring: KeyRing,
    alg: SigningAlgorithm,
    secret: bytes | None = None,
    encryption: TokenEncryption | None = None,
) -> str:
    """Signed by the tenant's key, or by HS256 with the API's own `secret`; then encrypted."""
    claims, typ = access_token_claims(content), token_type(content.dialect)
    if alg.is_symmetric:
        if secret is None:
            raise LookupError("an API with HS256 has no signing secret")
        token = sign_jwt_with_secret(claims, secret, typ)
    else:
        token = sign_jwt(claims, _key(ring, alg), typ)
    return encrypt_jwt(token, encryption.encryption_key) if encryption else token


def id_token(
    content: IdTokenContent, ring: KeyRing, alg: SigningAlgorithm, secret: bytes | None = None
) -> str:
    """Signed by the tenant's key, or by HS256 with the application's own `secret`."""
    if alg.is_symmetric:
        if secret is None:
            raise LookupError("an application with HS256 has no readable secret")
        return sign_jwt_with_secret(id_token_claims(content, alg), secret, "JWT")
    key = _key(ring, alg)
    return sign_jwt(id_token_claims(content, key.facts.alg), key, "JWT")


def logout_token(
    content: LogoutTokenContent, ring: KeyRing, alg: SigningAlgorithm, secret: bytes | None = None
) -> str:
    """Back-Channel Logout §2.4: with an ID token's key, and a type that is not an ID token's."""
    if secret is not None:
        return sign_jwt_with_secret(logout_token_claims(content), secret, LOGOUT_TOKEN)
    return sign_jwt(logout_token_claims(content), _key(ring, alg), LOGOUT_TOKEN)


def userinfo_answer(claims: Mapping[str, Any], ring: KeyRing, alg: SigningAlgorithm) -> str:
    """OpenID Connect Core §5.3.2: what userinfo says, signed."""
    return sign_jwt(claims, _key(ring, alg), "JWT")


@dataclass(frozen=True, slots=True)
class FamilyOwner:
    """For whom a family of tokens is made."""

    client_id: str
    user_id: str
    session_id: str | None
    organization_id: str | None = None


def new_family_id() -> str:
    return new_id()


def start_family(
    db: TenantSession,
    family_id: str,
    owner: FamilyOwner,
    token: str,
    lifetime: int,
    confirmation: Confirmation | None = None,
    refreshing: RefreshTokenFacts | None = None,
) -> str | None:
    """Stores a family with its first tokens, so that all can be ended.

    The refresh token, if there is to be one.
    """
    expires_at = db.now + timedelta(seconds=lifetime)
    tokens.create_family(
        db,
        TokenFamilyFacts(
            id=family_id,
            client_id=owner.client_id,
            user_id=owner.user_id,
            session_id=owner.session_id,
            organization_id=owner.organization_id,
            created_at=db.now,
            expires_at=max(expires_at, refreshing.expires_at) if refreshing else expires_at,
            ended_at=None,
        ),
    )
    tokens.add_access_token(db, family_id, token_digest(token), expires_at, confirmation)
    if refreshing is None:
        return None
    refresh_tokens.create(db, refreshing)
    return refresh.render(db.vault, db.tenant_id, family_id, refreshing.generation)


def continue_family(
    db: TenantSession,
    family_id: str,
    token: str,
    lifetime: int,
    confirmation: Confirmation | None = None,
    kept_until: datetime | None = None,
) -> None:
    """Stores another access token of a family, which is kept as long as the token."""
    expires_at = db.now + timedelta(seconds=lifetime)
    if kept_until is None or kept_until < expires_at:
        tokens.keep_family(db, family_id, expires_at)
    tokens.add_access_token(db, family_id, token_digest(token), expires_at, confirmation)


def authorization_response(claims: Mapping[str, Any], ring: KeyRing, alg: SigningAlgorithm) -> str:
    """JARM §2.1: the answer of the authorization endpoint, for the application in `aud`."""
    return sign_jwt(claims, _key(ring, alg), "JWT")


def introspection(
    claims: Mapping[str, Any],
    issuer: str,
    audience: str,
    issued_at: int,
    ring: KeyRing,
    alg: SigningAlgorithm,
) -> str:
    """RFC 9701 §5: the signed answer for one application; neither `sub` nor `exp` outside."""
    signed = {"iss": issuer, "aud": audience, "iat": issued_at, "token_introspection": claims}
    return sign_jwt(signed, _key(ring, alg), "token-introspection+jwt")
