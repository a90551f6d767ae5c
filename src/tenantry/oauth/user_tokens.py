"""RFC 6749 §5.1 and OpenID Connect Core §3.1.3.3: the tokens of every grant that speaks for a user.

Law: one function makes them, whatever the grant was, and each belongs to a family.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.facts import (
    ApplicationFacts,
    ClaimTarget,
    ResourceServerFacts,
    SigningAlgorithm,
    TokenDialect,
    UserFacts,
)
from tenantry.keys.signing import KeyRing
from tenantry.oauth.claims_request import NOTHING_WANTED, WantedClaims
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.resource_indicators import Granted
from tenantry.oauth.response_types import ResponseType
from tenantry.oauth.token_response import TokenResponse
from tenantry.rules import claims
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.authentication import choose_context, contexts_of
from tenantry.rules.authorization import OFFLINE_ACCESS, may_keep_access
from tenantry.services.client_secrets import signing_secret
from tenantry.services.subjects import subject_of
from tenantry.services.token_claims import claims_for_user
from tenantry.store import resource_servers, session_clients, sessions, tokens
from tenantry.store.audit import Event, record
from tenantry.store.refresh_tokens import RefreshTokenFacts
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens import issue
from tenantry.tokens.access_token import AccessTokenContent, token_audience, token_scopes
from tenantry.tokens.id_token import IdTokenContent

DEFAULT_LIFETIME = 86_400
"""Seconds that a token lives which only `/userinfo` accepts."""


@dataclass(frozen=True, slots=True)
class FrontChannelClient:
    """An application that nobody authenticated: its registered redirect URI gets the answer."""

    application: ApplicationFacts


@dataclass(frozen=True, slots=True)
class FrontChannel:
    """An answer of the authorization endpoint that carries tokens, with what they vouch for."""

    response_type: ResponseType
    code: str | None
    state: str | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """RFC 8693: the longest life in seconds, whether it joins a family, and the `act` claim."""

    lifetime: int
    joins_family: bool
    act: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserGrant:
    """What was decided: for whom, for what, since when. `api` is None for `/userinfo` alone.

    `refresh_token` is what a refresh answers with; None where a family begins. `whole` is what a
    refresh token keeps where this answer may be for less.
    """

    grant_type: str
    client: AuthenticatedClient | FrontChannelClient
    user: UserFacts
    api: ResourceServerFacts | None
    scopes: tuple[str, ...]
    session_id: str | None
    auth_time: datetime
    nonce: str | None
    family_id: str
    wanted: WantedClaims = NOTHING_WANTED
    front_channel: FrontChannel | None = None
    refresh_token: str | None = None
    exchange: Exchange | None = None
    whole: Granted | None = None


def access_token_lifetime(
    api: ResourceServerFacts | None, *, front_channel: bool = False
) -> timedelta:
    """Tokens of the implicit and hybrid flows pass through the browser, and may live shorter."""
    if api is None:
        return timedelta(seconds=DEFAULT_LIFETIME)
    return timedelta(seconds=api.token_lifetime_for_web if front_channel else api.token_lifetime)


def issue_tokens(
    db: TenantSession, address: TenantAddress, grant: UserGrant, ring: KeyRing
) -> TokenResponse:
    """Signs, stores the family, audits."""
    application, api = grant.client.application, grant.api
    in_front = grant.front_channel is not None
    lifetime = int(access_token_lifetime(api, front_channel=in_front).total_seconds())
    exchange = grant.exchange
    if exchange is not None:
        lifetime = min(lifetime, exchange.lifetime)
    acting = {"act": exchange.act} if exchange and exchange.act else {}
    audience = token_audience(api, grant.scopes, address.userinfo_audience)
    told = claims_for_user(db, grant.user, application, api)
    signs_by_secret = api is not None and api.signing_alg.is_symmetric
    access_token = issue.access_token(
        AccessTokenContent(
            issuer=address.issuer,
            subject=subject_of(db.vault, application, grant.user.id),
            audience=audience,
            scopes=token_scopes(api, grant.scopes, audience, address.userinfo_audience),
            client_id=application.client_id,
            issued_at=timestamp(db.now),
            lifetime=lifetime,
            dialect=api.token_dialect if api else TokenDialect.ACCESS_TOKEN,
            is_machine=False,
            auth_time=timestamp(grant.auth_time),
            permissions=told.permissions,
            custom={**told.custom(ClaimTarget.ACCESS_TOKEN).claims, **acting},
        ),
        ring,
        api.signing_alg if api else SigningAlgorithm.RS256,
        resource_servers.signing_secret(db, api.id) if api and signs_by_secret else None,
        api.token_encryption if api else None,
    )
    refresh_token = grant.refresh_token
    if exchange is not None and exchange.joins_family:
        issue.continue_family(db, grant.family_id, access_token, lifetime)
    elif refresh_token is None:
        owner = issue.FamilyOwner(application.client_id, grant.user.id, grant.session_id)
        issue.start_family(db, grant.family_id, owner, access_token, lifetime)
        refresh_token = _start_refreshing(db, address, grant)
    else:
        issue.continue_family(db, grant.family_id, access_token, lifetime)
    if grant.wanted.claims.userinfo:
        tokens.note_claims(db, grant.family_id, grant.wanted.claims.userinfo)
    record(
        db,
        Event(
            "token.issued",
            client_id=application.client_id,
            user_id=grant.user.id,
            details={
                "grant_type": grant.grant_type,
                "audience": " ".join(audience),
                "scope": " ".join(grant.scopes),
            },
        ),
    )
    response: TokenResponse = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": lifetime,
        "scope": " ".join(grant.scopes),
    }
    if refresh_token is not None:
        response["refresh_token"] = refresh_token
    if "openid" in grant.scopes and not in_front:
        response["id_token"] = id_token(db, address, grant, ring, access_token)
    return response


def family_lifetime(
    application: ApplicationFacts, api: ResourceServerFacts | None, scopes: Sequence[str]
) -> timedelta:
    """For how long anything of an authorization may live, access or refresh tokens."""
    lifetime = access_token_lifetime(api)
    if OFFLINE_ACCESS not in scopes or not may_keep_access(application, api):
        return lifetime
    return max(lifetime, timedelta(seconds=application.refresh_token_lifetime))


def _start_refreshing(db: TenantSession, address: TenantAddress, grant: UserGrant) -> str | None:
    """OpenID Connect Core §11: a refresh token where offline access was granted."""
    application, api = grant.client.application, grant.api
    if OFFLINE_ACCESS not in grant.scopes or not may_keep_access(application, api):
        return None
    if grant.front_channel is not None or grant.exchange is not None:
        return None
    whole = grant.whole or Granted(api.identifier if api else None, grant.scopes)
    return issue.refresh_token(
        db,
        RefreshTokenFacts(
            family_id=grant.family_id,
            issuer=address.issuer,
            audience=whole.audience,
            scopes=whole.scopes,
            auth_time=grant.auth_time,
            generation=1,
            rotated_at=db.now,
            created_at=db.now,
            idle_expires_at=db.now + timedelta(seconds=application.refresh_token_idle_lifetime),
            expires_at=db.now + timedelta(seconds=application.refresh_token_lifetime),
        ),
    )


def id_token(
    db: TenantSession,
    address: TenantAddress,
    grant: UserGrant,
    ring: KeyRing,
    access_token: str | None,
) -> str:
    """The ID token of a grant, whichever channel it takes.

    Its `sid` makes the application a part of the session: it will hear of the end.
    """
    application, front, wanted = grant.client.application, grant.front_channel, grant.wanted
    session = sessions.find(db, grant.session_id) if grant.session_id else None
    amr = session.amr if session else ()
    if session is not None:
        session_clients.join(db, session.id, grant.client.application.client_id)
    contexts = contexts_of(amr, protected=address.is_https)
    # §5.4: with an access token the claims of scopes are for userinfo; older applications that
    # belong to the tenant itself expect them in the ID token as well.
    alone = front is not None and front.response_type.parts == {"id_token"}
    richer = alone or (application.is_first_party and not application.oidc_conformant)
    conformant = alone and application.oidc_conformant
    profile = claims.requested(
        grant.user, wanted.claims.id_token, oidc_conformant=application.oidc_conformant
    )
    if richer:
        profile |= claims.released(grant.user, grant.scopes, oidc_conformant=conformant)
    mapped = claims_for_user(db, grant.user, application, grant.api)
    profile |= mapped.custom(ClaimTarget.ID_TOKEN, taken=profile).claims
    told = application.require_auth_time or wanted.auth_time
    return issue.id_token(
        IdTokenContent(
            issuer=address.issuer,
            subject=subject_of(db.vault, application, grant.user.id),
            client_id=application.client_id,
            issued_at=timestamp(db.now),
            lifetime=application.id_token_lifetime,
            auth_time=timestamp(grant.auth_time) if told else None,
            session_id=grant.session_id or "",
            nonce=grant.nonce,
            access_token=access_token,
            code=front.code if front else None,
            state=front.state if front else None,
            acr=choose_context(contexts, wanted.acr_values),
            amr=amr,
            profile=profile,
        ),
        ring,
        application.id_token_signed_response_alg,
        signing_secret(db.vault, db.tenant_id, application),
    )
