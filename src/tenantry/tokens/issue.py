"""The one room where tokens are signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tenantry.core.facts import SigningAlgorithm
from tenantry.core.ids import new_id
from tenantry.keys.signing import KeyRing, SigningKey, sign_jwt
from tenantry.store import tokens
from tenantry.store.tokens import TokenFamilyFacts
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens.access_token import AccessTokenContent, access_token_claims, token_type
from tenantry.tokens.id_token import IdTokenContent, id_token_claims
from tenantry.tokens.verify import token_digest


def _key(ring: KeyRing, alg: SigningAlgorithm) -> SigningKey:
    """The current key of `alg`, or of RS256 where the tenant switched `alg` off meanwhile."""
    return ring.current.get(alg) or ring.current[SigningAlgorithm.RS256]


def access_token(content: AccessTokenContent, ring: KeyRing, alg: SigningAlgorithm) -> str:
    return sign_jwt(access_token_claims(content), _key(ring, alg), token_type(content.dialect))


def id_token(content: IdTokenContent, ring: KeyRing, alg: SigningAlgorithm) -> str:
    key = _key(ring, alg)
    return sign_jwt(id_token_claims(content, key.facts.alg), key, "JWT")


@dataclass(frozen=True, slots=True)
class FamilyOwner:
    """For whom a family of tokens is made."""

    client_id: str
    user_id: str
    session_id: str | None


def new_family_id() -> str:
    return new_id()


def start_family(
    db: TenantSession, family_id: str, owner: FamilyOwner, token: str, lifetime: int
) -> None:
    """Stores a family with its first access token, so that both can be ended."""
    expires_at = db.now + timedelta(seconds=lifetime)
    tokens.create_family(
        db,
        TokenFamilyFacts(
            id=family_id,
            client_id=owner.client_id,
            user_id=owner.user_id,
            session_id=owner.session_id,
            created_at=db.now,
            expires_at=expires_at,
            ended_at=None,
        ),
    )
    tokens.add_access_token(db, family_id, token_digest(token), expires_at)
