"""Reading tokens that this server signed. Keys come from the tenant's ring, never from a token."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tenantry.keys.signing import KeyRing, SigningKey

MAX_TOKEN = 16_384
_PUBLIC_KEYS: Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {
    "RSA": RSAKey,
    "EC": ECKey,
    "OKP": OKPKey,
}


class InvalidToken(Exception):
    """The token is not one that this server would accept here. The reason stays private."""


@dataclass(frozen=True, slots=True)
class VerifiedClaims:
    """The claims of a token whose signature, issuer, audience and times were checked."""

    claims: Mapping[str, Any]

    def text(self, name: str) -> str:
        value = self.claims.get(name)
        return value if isinstance(value, str) else ""

    @property
    def subject(self) -> str:
        return self.text("sub")

    @property
    def scopes(self) -> tuple[str, ...]:
        return tuple(self.text("scope").split())

    @property
    def client_id(self) -> str:
        return self.text("client_id") or self.text("azp")

    @property
    def audiences(self) -> tuple[str, ...]:
        value = self.claims.get("aud")
        return (value,) if isinstance(value, str) else tuple(value or ())

    @property
    def is_machine(self) -> bool:
        """Whether the application speaks for itself (client credentials)."""
        return self.text("gty") == "client-credentials" or self.subject == self.client_id


def token_digest(token: str) -> str:
    """How a token is found again without being kept."""
    return hashlib.sha256(token.encode()).hexdigest()


@lru_cache(maxsize=4096)
def _public_key(kid: str, pem: str, kty: str) -> RSAKey | ECKey | OKPKey:
    return _PUBLIC_KEYS[kty].import_key(pem, {"kid": kid})


def _key_of(ring: KeyRing, unverified_token: str) -> SigningKey:
    unverified_kid = jws.extract_compact(unverified_token.encode()).headers().get("kid")
    for key in ring.published:
        if key.facts.kid == unverified_kid:
            return key
    raise InvalidToken("unknown kid")


def verify_signature(unverified_token: str, ring: KeyRing, types: frozenset[str]) -> dict[str, Any]:
    """The claims of a token with a good signature and an expected `typ`; times are not checked."""
    if len(unverified_token) > MAX_TOKEN or not unverified_token.isascii():
        raise InvalidToken("malformed")
    try:
        key = _key_of(ring, unverified_token)
        public = _public_key(key.facts.kid, key.facts.public_key, key.jwk["kty"])
        token = jwt.decode(unverified_token, public, algorithms=[key.facts.alg.value])
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise InvalidToken("malformed or badly signed") from error
    if str(token.header.get("typ", "")).lower() not in types:
        raise InvalidToken("wrong typ")
    return dict(token.claims)


_ACCESS_TOKEN_TYPES = frozenset({"jwt", "at+jwt"})
_ID_TOKEN_TYPES = frozenset({"jwt"})


def verify_access_token(
    unverified_token: str, ring: KeyRing, issuer: str, audience: str, now: int
) -> VerifiedClaims:
    """An access token of `issuer` for `audience` (RFC 9068 §4), `now` in epoch seconds."""
    claims = verify_signature(unverified_token, ring, _ACCESS_TOKEN_TYPES)
    verified = VerifiedClaims(claims)
    expires_at = claims.get("exp")
    if claims.get("iss") != issuer or audience not in verified.audiences:
        raise InvalidToken("wrong issuer or audience")
    if not isinstance(expires_at, int) or expires_at <= now:
        raise InvalidToken("expired")
    return verified


def verify_id_token_hint(unverified_token: str, ring: KeyRing, issuer: str) -> VerifiedClaims:
    """An ID token that we issued, expired or not (OpenID Connect RP-Initiated Logout §2)."""
    claims = verify_signature(unverified_token, ring, _ID_TOKEN_TYPES)
    verified = VerifiedClaims(claims)
    if claims.get("iss") != issuer or "scope" in claims or len(verified.audiences) != 1:
        raise InvalidToken("not an ID token of this issuer")
    return verified
