"""Reading tokens that this server signed. Keys come from the tenant's ring, never from a token."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from tenantry.core.confirmation import Confirmation
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
    def confirmation(self) -> Confirmation | None:
        """What its bearer has to prove (RFC 7800 §3.1)."""
        members = self.claims.get("cnf")
        if not isinstance(members, Mapping):
            return None
        return Confirmation(members.get("jkt"), members.get("x5t#S256"))

    @property
    def is_machine(self) -> bool:
        """Whether the application speaks for itself (client credentials)."""
        if self.text("gty") == "client-credentials":
            return True
        return self.subject in {self.client_id, f"{self.client_id}@clients"}


def token_digest(token: str) -> str:
    """How a token is found again without being kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def revocation_digest(token: str) -> str:
    """The same for a token without a family: of what is signed.

    The last characters of a signature can be written in more than one way.
    """
    return token_digest(token.rpartition(".")[0])


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


def is_signed_by_secret(unverified_token: str) -> bool:
    """Whether the header of a token says HS256."""
    try:
        unverified = jws.extract_compact(unverified_token.encode())
    except (JoseError, ValueError, RecursionError):
        return False
    return unverified.headers().get("alg") == "HS256"


def _verify_by_secret(
    unverified_token: str, secret: bytes, types: frozenset[str]
) -> dict[str, Any]:
    if len(unverified_token) > MAX_TOKEN or not unverified_token.isascii():
        raise InvalidToken("malformed")
    try:
        key = OctKey.import_key(secret)
        token = jwt.decode(unverified_token, key, algorithms=["HS256"])
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise InvalidToken("malformed or badly signed") from error
    if str(token.header.get("typ", "")).lower() not in types:
        raise InvalidToken("wrong typ")
    return dict(token.claims)


def _signed_by_secret(unverified_token: str, shared: ApplicationSecret) -> dict[str, Any]:
    claims = _verify_by_secret(unverified_token, shared.secret, _ID_TOKEN_TYPES)
    if claims.get("aud") != shared.client_id:
        raise InvalidToken("another application's secret")
    return claims


_ACCESS_TOKEN_TYPES = frozenset({"jwt", "at+jwt"})
_ID_TOKEN_TYPES = frozenset({"jwt"})


def verify_access_token(
    unverified_token: str, ring: KeyRing, issuer: str, audience: str, now: int
) -> VerifiedClaims:
    """An access token of `issuer` for `audience` (RFC 9068 §4), `now` in epoch seconds."""
    verified = verify_own_access_token(unverified_token, ring, issuer, now)
    if audience not in verified.audiences:
        raise InvalidToken("wrong audience")
    return verified


def unverified_claims(unverified_token: str) -> dict[str, Any]:
    """What a token says of itself: to be believed if its digest is stored, or once verified."""
    try:
        claims = json.loads(jws.extract_compact(unverified_token.encode()).payload)
    except (JoseError, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def verify_own_access_token(
    unverified_token: str, ring: KeyRing, issuer: str, now: int
) -> VerifiedClaims:
    """An access token of `issuer` for whatever audience; whether it was revoked is not known."""
    claims = verify_signature(unverified_token, ring, _ACCESS_TOKEN_TYPES)
    return _require_own(claims, issuer, now)


def verify_for_api_with_secret(
    unverified_token: str, secret: bytes, audience: str, issuer: str, now: int
) -> VerifiedClaims:
    """The same where an API shares `secret`, which vouches for no other audience."""
    claims = _verify_by_secret(unverified_token, secret, _ACCESS_TOKEN_TYPES)
    if claims.get("aud") != audience:
        raise InvalidToken("another API's secret")
    return _require_own(claims, issuer, now)


def _require_own(claims: dict[str, Any], issuer: str, now: int) -> VerifiedClaims:
    verified = VerifiedClaims(claims)
    if claims.get("iss") != issuer or not verified.client_id:
        raise InvalidToken("not an access token of this issuer")
    _require_time(claims, now)
    return verified


def verify_own_id_token(
    unverified_token: str, ring: KeyRing, issuer: str, client_id: str, now: int
) -> VerifiedClaims:
    """An ID token of `issuer` that was made for one application and has not expired."""
    verified = verify_id_token_hint(unverified_token, ring, issuer)
    # An access token names its application in a claim of its own.
    if verified.audiences != (client_id,) or verified.client_id:
        raise InvalidToken("not an ID token for this application")
    _require_time(verified.claims, now)
    return verified


def _require_time(claims: Mapping[str, Any], now: int) -> None:
    expires_at, issued_at = claims.get("exp"), claims.get("iat")
    if not isinstance(expires_at, int) or not isinstance(issued_at, int) or expires_at <= now:
        raise InvalidToken("expired")


@dataclass(frozen=True, slots=True)
class ApplicationSecret:
    """The secret of an application whose ID tokens are signed by HS256."""

    client_id: str
    secret: bytes


def verify_id_token_hint(
    unverified_token: str, ring: KeyRing, issuer: str, shared: ApplicationSecret | None = None
) -> VerifiedClaims:
    """An ID token that we issued, expired or not (OpenID Connect RP-Initiated Logout §2).

    `shared` may have signed it, but only for its own application.
    """
    if shared is not None and is_signed_by_secret(unverified_token):
        claims = _signed_by_secret(unverified_token, shared)
    else:
        claims = verify_signature(unverified_token, ring, _ID_TOKEN_TYPES)
    verified = VerifiedClaims(claims)
    if claims.get("iss") != issuer or "scope" in claims or len(verified.audiences) != 1:
        raise InvalidToken("not an ID token of this issuer")
    if not isinstance(claims.get("exp"), int) or not isinstance(claims.get("sub"), str):
        # RFC 8725 §3.12: a signed answer of userinfo or of the authorization endpoint has the same
        # issuer and audience, but the one no `exp` and the other no `sub`.
        raise InvalidToken("not an ID token")
    return verified
