"""RFC 8693 §2.1: the tokens that an exchange presents, subject and actor.

Law: only tokens of this tenant that are good at this moment; what they stand for is loaded anew.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.facts import UserFacts
from tenantry.keys.signing import KeyRing
from tenantry.oauth import dpop
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.errors import OAuthError, invalid_request
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.admission import WRONG_TOKEN
from tenantry.services import sessions as session_services
from tenantry.store import applications, sessions, tokens, users
from tenantry.store.tokens import TokenFamilyFacts
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens.verify import (
    InvalidToken,
    VerifiedClaims,
    revocation_digest,
    token_digest,
    verify_own_access_token,
    verify_own_id_token,
)

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


@dataclass(frozen=True, slots=True)
class Presented:
    """A token and what its sender says that it is."""

    unverified_token: str
    type: str


@dataclass(frozen=True, slots=True)
class SubjectToken:
    """For whom the new token speaks. `family_id` is the family that it joins, if there is one.

    `scopes` is None where the token has none by its nature. `expires_at` is in epoch seconds.
    """

    user: UserFacts
    family_id: str | None
    session_id: str | None
    scopes: tuple[str, ...] | None
    auth_time: datetime
    expires_at: int
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ActorToken:
    """Who acts: the application of the token, and the names by which `may_act` may know it."""

    client_id: str
    names: dict[str, str]


def read_subject(
    db: TenantSession,
    address: TenantAddress,
    ring: KeyRing,
    client: AuthenticatedClient,
    presented: Presented,
) -> SubjectToken:
    """§2.2.2: "invalid for any reason" is invalid_request, with one text for every reason."""
    try:
        verified = _verified(db, address, ring, client, presented)
        family = _family(db, presented, verified)
        session_id = family.session_id if family else _live_session(db, verified)
        user_id = family.user_id if family else _user_of_session(db, session_id)
        user = users.find(db, user_id)
        if user is None or user.blocked:
            raise InvalidToken("no such user, or blocked")
    except InvalidToken as error:
        raise _invalid("subject_token", str(error)) from None
    is_access_token = presented.type == ACCESS_TOKEN
    auth_time = verified.claims.get("auth_time", verified.claims["iat"])
    return SubjectToken(
        user=user,
        family_id=family.id if family else None,
        session_id=session_id,
        scopes=verified.scopes if is_access_token else None,
        auth_time=datetime.fromtimestamp(auth_time, UTC),
        expires_at=verified.claims["exp"],
        claims=verified.claims,
    )


def read_actor(
    db: TenantSession,
    address: TenantAddress,
    ring: KeyRing,
    client: AuthenticatedClient,
    presented: Presented,
) -> ActorToken:
    try:
        verified = _verified(db, address, ring, client, presented)
        if not verified.is_machine:
            family = _family(db, presented, verified)
            user_id = (
                family.user_id if family else _user_of_session(db, _live_session(db, verified))
            )
            user = users.find(db, user_id)
            if user is None or user.blocked:
                raise InvalidToken("no such user, or blocked")
        client_id = verified.client_id or verified.audiences[0]
        if applications.find_by_client_id(db, client_id) is None:
            raise InvalidToken("the actor's application is gone")
    except InvalidToken as error:
        raise _invalid("actor_token", str(error)) from None
    return ActorToken(client_id, {"sub": verified.subject, "client_id": client_id})


def _invalid(name: str, cause: str) -> OAuthError:
    error = invalid_request(WRONG_TOKEN.format(name=name))
    error.args = (cause,)
    return error


def _verified(
    db: TenantSession,
    address: TenantAddress,
    ring: KeyRing,
    client: AuthenticatedClient,
    presented: Presented,
) -> VerifiedClaims:
    application = client.application
    now, token = timestamp(db.now), presented.unverified_token
    if presented.type == ID_TOKEN:
        return verify_own_id_token(token, ring, address.issuer, application.client_id, now)
    verified = verify_own_access_token(token, ring, address.issuer, now)
    # RFC 8705 §3 and RFC 9449 §6: who presents it has to prove the key as well.
    if not dpop.holds(verified.confirmation, client.confirmation):
        raise InvalidToken("bound to a key")
    if tokens.is_revoked(db, revocation_digest(token)):
        raise InvalidToken("revoked")
    return verified


def _family(
    db: TenantSession, presented: Presented, verified: VerifiedClaims
) -> TokenFamilyFacts | None:
    """The live family of a token. An ID token is found by the access token that it vouches for."""
    if presented.type == ACCESS_TOKEN:
        family = tokens.family_of_access_token(db, token_digest(presented.unverified_token))
        if family is None:
            raise InvalidToken("no token of a user, or revoked")
    else:
        family = tokens.family_of_half_digest(db, _half_digest(verified.text("at_hash")))
    if family is not None and (family.ended_at is not None or family.expires_at <= db.now):
        raise InvalidToken("ended")
    return family


def _half_digest(at_hash: str) -> str:
    """OpenID Connect Core §3.1.3.6: half of the SHA-256 by which access tokens are kept."""
    try:
        return base64.urlsafe_b64decode(at_hash + "=" * (-len(at_hash) % 4)).hex()
    except (binascii.Error, ValueError):
        raise InvalidToken("malformed at_hash") from None


def _live_session(db: TenantSession, verified: VerifiedClaims) -> str:
    session_id = verified.text("sid")
    if not session_id or not session_services.is_live(db, session_id):
        raise InvalidToken("its session has ended")
    return session_id


def _user_of_session(db: TenantSession, session_id: str | None) -> str:
    session = sessions.find(db, session_id) if session_id else None
    if session is None:
        raise InvalidToken("its session has ended")
    return session.user_id
