"""RFC 6749 §5.1 and OpenID Connect Core §3.1.3.3: the tokens of every grant that speaks for a user.

Law: one function makes them, whatever the grant was, and each belongs to a family.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tenantry.core.clock import timestamp
from tenantry.core.facts import ResourceServerFacts, SigningAlgorithm, TokenDialect, UserFacts
from tenantry.keys.signing import KeyRing
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.token_response import TokenResponse
from tenantry.rules import claims
from tenantry.rules.addresses import TenantAddress
from tenantry.store.audit import Event, record
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens import issue
from tenantry.tokens.access_token import AccessTokenContent
from tenantry.tokens.id_token import IdTokenContent

DEFAULT_LIFETIME = 86_400
"""Seconds that a token lives which only `/userinfo` accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserGrant:
    """What was decided: for whom, for what, since when. `api` is None for `/userinfo` alone."""

    grant_type: str
    client: AuthenticatedClient
    user: UserFacts
    api: ResourceServerFacts | None
    scopes: tuple[str, ...]
    session_id: str | None
    auth_time: datetime
    nonce: str | None
    family_id: str


def access_token_lifetime(api: ResourceServerFacts | None) -> timedelta:
    return timedelta(seconds=api.token_lifetime if api else DEFAULT_LIFETIME)


def issue_tokens(
    db: TenantSession, address: TenantAddress, grant: UserGrant, ring: KeyRing
) -> TokenResponse:
    """Signs, stores the family, audits."""
    application, api = grant.client.application, grant.api
    lifetime = int(access_token_lifetime(api).total_seconds())
    audience = [api.identifier] if api else []
    if "openid" in grant.scopes or api is None:
        audience.append(address.userinfo_audience)
    access_token = issue.access_token(
        AccessTokenContent(
            issuer=address.issuer,
            subject=grant.user.id,
            audience=audience,
            scopes=grant.scopes,
            client_id=application.client_id,
            issued_at=timestamp(db.now),
            lifetime=lifetime,
            dialect=api.token_dialect if api else TokenDialect.ACCESS_TOKEN,
            is_machine=False,
            auth_time=timestamp(grant.auth_time),
        ),
        ring,
        api.signing_alg if api else SigningAlgorithm.RS256,
    )
    owner = issue.FamilyOwner(application.client_id, grant.user.id, grant.session_id)
    issue.start_family(db, grant.family_id, owner, access_token, lifetime)
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
    if "openid" in grant.scopes:
        response["id_token"] = _id_token(db, address, grant, ring, access_token)
    return response


def _id_token(
    db: TenantSession, address: TenantAddress, grant: UserGrant, ring: KeyRing, access_token: str
) -> str:
    application = grant.client.application
    # §5.4: with an access token the claims of scopes are for userinfo; older applications that
    # belong to the tenant itself expect them in the ID token as well.
    richer = application.is_first_party and not application.oidc_conformant
    profile = claims.released(grant.user, grant.scopes, oidc_conformant=False) if richer else {}
    return issue.id_token(
        IdTokenContent(
            issuer=address.issuer,
            subject=grant.user.id,
            client_id=application.client_id,
            issued_at=timestamp(db.now),
            lifetime=application.id_token_lifetime,
            auth_time=timestamp(grant.auth_time),
            session_id=grant.session_id or "",
            nonce=grant.nonce,
            access_token=access_token,
            profile=profile,
        ),
        ring,
        application.id_token_signed_response_alg,
    )
