"""RFC 6749 §5.1 and OpenID Connect Core §3.1.3.3: the tokens of every grant that speaks for a user.

Law: one function makes them, whatever the grant was, and each belongs to a family.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tenantry.core.authorization_details import Details, types_of
from tenantry.core.clock import timestamp
from tenantry.core.confirmation import Confirmation
from tenantry.core.facts import (
    ApplicationFacts,
    ResourceServerFacts,
    SessionFacts,
    SigningAlgorithm,
    UserFacts,
)
from tenantry.core.organizations import OrganizationFacts
from tenantry.keys.signing import KeyRing
from tenantry.oauth.claims_request import NOTHING_WANTED, WantedClaims
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.errors import require
from tenantry.oauth.resource_indicators import Granted
from tenantry.oauth.response_types import ResponseType
from tenantry.oauth.token_response import TokenResponse, token_type
from tenantry.rules import possession
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.authentication import choose_context, contexts_of
from tenantry.rules.lifetimes import access_token_lifetime, starts_refreshing
from tenantry.services.client_secrets import signing_secret
from tenantry.services.organization_access import claims_in
from tenantry.services.subjects import given_subject
from tenantry.services.token_claims import claims_for_user
from tenantry.services.token_contents import (
    UserTokenFacts,
    access_token_of_user,
    id_token_profile,
)
from tenantry.store import resource_servers, session_clients, sessions, tokens
from tenantry.store.audit import Event, record
from tenantry.store.refresh_tokens import RefreshTokenFacts
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens import issue
from tenantry.tokens.access_token import introspected
from tenantry.tokens.id_token import IdTokenContent
from tenantry.tokens.verify import token_digest


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


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh answers with, and what it has read already."""

    refresh_token: str
    family_expires_at: datetime
    session: SessionFacts | None
    takes_part: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UserGrant:
    """What was decided: for whom, for what, since when. `api` is None for `/userinfo` alone.

    `refreshed` is None where a family begins. `whole` is what a refresh token keeps where this
    answer may be for less.
    """

    grant_type: str
    client: AuthenticatedClient | FrontChannelClient
    user: UserFacts
    api: ResourceServerFacts | None
    scopes: tuple[str, ...]
    session_id: str | None
    session: SessionFacts | None = None
    auth_time: datetime
    nonce: str | None
    family_id: str
    wanted: WantedClaims = NOTHING_WANTED
    front_channel: FrontChannel | None = None
    refreshed: Refreshed | None = None
    exchange: Exchange | None = None
    whole: Granted | None = None
    organization: OrganizationFacts | None = None
    amr: tuple[str, ...] = ()
    details: Details = ()

    @property
    def organization_id(self) -> str | None:
        return self.organization.id if self.organization else None

    @property
    def confirmation(self) -> Confirmation | None:
        """What the application proved to possess; nothing is proven in the front channel."""
        client = self.client
        return client.confirmation if isinstance(client, AuthenticatedClient) else None


def issue_tokens(
    db: TenantSession, address: TenantAddress, grant: UserGrant, ring: KeyRing
) -> TokenResponse:
    """Signs, stores the family, audits."""
    application, api, bound = grant.client.application, grant.api, grant.confirmation
    require(possession.bound_for(api, bound))
    in_front = grant.front_channel is not None
    lifetime = int(access_token_lifetime(api, front_channel=in_front).total_seconds())
    exchange = grant.exchange
    if exchange is not None:
        lifetime = min(lifetime, exchange.lifetime)
    acting = {"act": exchange.act} if exchange and exchange.act else {}
    facts, auth_time = _token_facts(db, grant), timestamp(grant.auth_time)
    content = access_token_of_user(db, address, facts, lifetime, auth_time=auth_time, acting=acting)
    content = replace(content, confirmation=bound, acr=_context(db, address, grant))
    signs_by_secret = api is not None and api.signing_alg.is_symmetric
    access_token = issue.access_token(
        content,
        ring,
        api.signing_alg if api else SigningAlgorithm.RS256,
        resource_servers.signing_secret(db, api.id) if api and signs_by_secret else None,
        api.token_encryption if api else None,
    )
    refreshed = grant.refreshed
    refresh_token = refreshed.refresh_token if refreshed else None
    if exchange is not None and exchange.joins_family:
        issue.continue_family(db, grant.family_id, access_token, lifetime, bound)
    elif refreshed is None:
        owner = issue.FamilyOwner(
            application.client_id, grant.user.id, grant.session_id, grant.organization_id
        )
        refreshing = _refreshing(db.now, address.issuer, grant)
        refresh_token = issue.start_family(
            db, grant.family_id, owner, access_token, lifetime, bound, refreshing
        )
    else:
        kept_until = refreshed.family_expires_at
        issue.continue_family(db, grant.family_id, access_token, lifetime, bound, kept_until)
    if api and api.token_encryption:
        tokens.note_content(db, token_digest(access_token), introspected(content))
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
                "audience": " ".join(content.audience),
                "scope": " ".join(grant.scopes),
                **({"organization": grant.organization_id} if grant.organization else {}),
                **(
                    {"authorization_details_types": list(types_of(grant.details))}
                    if grant.details
                    else {}
                ),
            },
        ),
    )
    response: TokenResponse = {
        "access_token": access_token,
        "token_type": token_type(bound),
        "expires_in": lifetime,
        "scope": " ".join(grant.scopes),
    }
    if grant.details:
        # RFC 9396 §7: "the authorization details as granted by the resource owner".
        response["authorization_details"] = list(grant.details)
    if refresh_token is not None:
        response["refresh_token"] = refresh_token
    if "openid" in grant.scopes and not in_front:
        response["id_token"] = id_token(db, address, grant, ring, access_token)
    return response


def _token_facts(db: TenantSession, grant: UserGrant) -> UserTokenFacts:
    application, front = grant.client.application, grant.front_channel
    return UserTokenFacts(
        application=application,
        user=grant.user,
        api=grant.api,
        scopes=grant.scopes,
        told=claims_for_user(db, grant.user, application, grant.api, grant.organization_id),
        alone=front is not None and front.response_type.parts == {"id_token"},
        organization=grant.organization,
        details=grant.details,
    )


def _refreshing(now: datetime, issuer: str, grant: UserGrant) -> RefreshTokenFacts | None:
    """OpenID Connect Core §11: a refresh token where offline access was granted."""
    application, api = grant.client.application, grant.api
    if not starts_refreshing(application, api, grant.scopes):
        return None
    if grant.front_channel is not None or grant.exchange is not None:
        return None
    whole = grant.whole or Granted(api.identifier if api else None, grant.scopes, grant.details)
    return RefreshTokenFacts(
        family_id=grant.family_id,
        issuer=issuer,
        audience=whole.audience,
        scopes=whole.scopes,
        authorization_details=whole.details,
        auth_time=grant.auth_time,
        generation=1,
        rotated_at=now,
        created_at=now,
        idle_expires_at=now + timedelta(seconds=application.refresh_token_idle_lifetime),
        expires_at=now + timedelta(seconds=application.refresh_token_lifetime),
        # RFC 9449 §5, RFC 8705 §4: what nobody proves to own by a secret is bound to the key.
        confirmation=grant.confirmation if application.is_public else None,
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
    session, takes_part = _session_of(db, grant)
    amr = session.amr if session else grant.amr
    if session is not None and not takes_part:
        session_clients.join(db, session.id, grant.client.application.client_id)
    contexts = contexts_of(amr, protected=address.is_https)
    profile, _ = id_token_profile(_token_facts(db, grant), wanted.claims.id_token)
    told = application.require_auth_time or wanted.auth_time
    return issue.id_token(
        IdTokenContent(
            issuer=address.issuer,
            subject=given_subject(db, application, grant.user.id),
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
            organization=claims_in(db, grant.organization),
        ),
        ring,
        application.id_token_signed_response_alg,
        signing_secret(db.vault, db.tenant_id, application),
    )


def _context(db: TenantSession, address: TenantAddress, grant: UserGrant) -> str | None:
    """RFC 9470 §6.1: how the person signed in, for APIs whose tokens say so."""
    if grant.api is None or not grant.api.token_dialect.is_rfc9068:
        return None
    session, _ = _session_of(db, grant)
    contexts = contexts_of(session.amr if session else grant.amr, protected=address.is_https)
    return choose_context(contexts, grant.wanted.acr_values)


def _session_of(db: TenantSession, grant: UserGrant) -> tuple[SessionFacts | None, bool]:
    """The session, and whether the application is known to take part in it."""
    if grant.refreshed is not None:
        return grant.refreshed.session, grant.refreshed.takes_part
    session_id, session = grant.session_id, grant.session
    return session or (sessions.find(db, session_id) if session_id else None), False
