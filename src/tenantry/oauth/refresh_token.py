"""RFC 6749 §6, RFC 9700 §4.14.2 and OpenID Connect Core §12: a refresh token becomes new tokens.

Law: all who refresh with one token get one successor. An older one, or the predecessor after the
overlap, ends its family and no other; a failed refresh consumes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tenantry.core.authorization_details import Details
from tenantry.core.context import Actor
from tenantry.core.facts import GrantType, SessionFacts, UserFacts
from tenantry.core.organizations import OrganizationFacts
from tenantry.keys.signing import KeyRing
from tenantry.oauth import dpop, rar, resource_indicators, user_tokens
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.errors import OAuthError, invalid_grant, refusal, require
from tenantry.oauth.membership import organization_in, still_within
from tenantry.oauth.organizations import organization_of
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.resource_indicators import Aim
from tenantry.oauth.token_response import TokenResponse
from tenantry.rules import admission, scopes
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.admission import Admission
from tenantry.rules.authorization import Granted, Refused
from tenantry.rules.refresh import RefreshFacts, Use, judge
from tenantry.services.management_access import load_tenant
from tenantry.services.organization_access import Within
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.services.user_flow import decide_for, detail_types_for
from tenantry.store import consents, refresh_tokens, refreshing
from tenantry.store.refresh_tokens import RefreshTokenFacts
from tenantry.store.tokens import TokenFamilyFacts
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens import refresh_token, revoke

GRANT_TYPE = GrantType.REFRESH_TOKEN.value
_WRONG_TOKEN = "The refresh token is unknown, expired, ended or another application's."


@dataclass(frozen=True, slots=True)
class Presented:
    """What the token request says."""

    unverified_token: str
    scopes: tuple[str, ...]
    audience: str | None
    organization: OrganizationFacts | None
    details: Details = ()


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A refresh token that may be used, with its family."""

    use: Use
    generation: int
    facts: RefreshTokenFacts
    family: TokenFamilyFacts
    user: UserFacts | None
    session: SessionFacts | None
    takes_part: bool


async def grant(
    runtime: Runtime,
    context: RequestContext,
    client: AuthenticatedClient,
    parameters: Parameters,
) -> TokenResponse:
    application = client.application
    require(admission.may_use(application, GrantType.REFRESH_TOKEN))
    tenant = await load_tenant(runtime, context.address.tenant_id)
    presented = Presented(
        unverified_token=parameters.require("refresh_token"),
        scopes=parameters.scopes(),
        audience=resource_indicators.read_target(parameters, tenant),
        organization=await organization_of(runtime, tenant, parameters),
        details=rar.read(parameters),
    )
    ring = await key_ring(runtime, tenant)
    actor = Actor("application", application.client_id, application.name, tenant.id)
    result = await runtime.store.write(
        tenant.id,
        context.caller(actor),
        refresh,
        runtime,
        context.address,
        client,
        presented,
        ring,
    )
    if isinstance(result, OAuthError):
        raise result
    return result


def refresh(
    db: TenantSession,
    runtime: Runtime,
    address: TenantAddress,
    client: AuthenticatedClient,
    presented: Presented,
    ring: KeyRing,
) -> TokenResponse | OAuthError:
    """Find, check, claim, issue. A refusal is returned, so that its mark is kept."""
    application = client.application
    live = _find_live(db, address, client, presented.unverified_token)
    if isinstance(live, OAuthError):
        return live
    user = live.user
    free = admission.not_blocked(user, "invalid_grant", admission.SIGN_IN_AGAIN)
    if isinstance(free, Refused) or user is None:
        return invalid_grant(admission.SIGN_IN_AGAIN)
    aimed = resource_indicators.aim(
        db, runtime.addresses, address, live.facts.audience, presented.audience
    )
    if isinstance(aimed, OAuthError):
        return aimed
    kept = _consented(db, address, client, live.facts, user)
    if isinstance(kept, Refused):
        return refusal(kept, "the consent was withdrawn")
    within = still_within(db, live.family.organization_id, user)
    if isinstance(within, OAuthError):
        return within
    organization = organization_in(within)
    if presented.organization and presented.organization.id != live.family.organization_id:
        return invalid_grant("The refresh token is for another organization, or for none.")
    granted = _decide(db, client, presented, live.facts, user, aimed, within)
    if isinstance(granted, OAuthError):
        return granted
    held = live.facts.authorization_details
    allowed_types = detail_types_for(db, application, aimed.api) if held else ()
    details = rar.narrowed(held, presented.details, allowed_types)
    if isinstance(details, OAuthError):
        return details
    if live.use is Use.NEWEST:
        idle_expires_at = db.now + timedelta(seconds=application.refresh_token_idle_lifetime)
        claimed = refresh_tokens.use(
            db,
            live.family.id,
            live.generation,
            idle_expires_at,
            rotate=application.refresh_token_rotation,
        )
        if not claimed:  # Another request was quicker: its successor is this one's too.
            live = _find_live(db, address, client, presented.unverified_token)
            if isinstance(live, OAuthError):
                return live
    rotated = application.refresh_token_rotation or live.use is Use.OVERLAPPING
    generation = live.generation + 1 if rotated else live.generation
    return user_tokens.issue_tokens(
        db,
        address,
        user_tokens.UserGrant(
            grant_type=GRANT_TYPE,
            client=client,
            user=user,
            api=aimed.api,
            scopes=granted,
            details=details,
            session_id=live.family.session_id,
            auth_time=live.facts.auth_time,
            nonce=None,
            organization=organization,
            family_id=live.family.id,
            refreshed=user_tokens.Refreshed(
                refresh_token.render(db.vault, db.tenant_id, live.family.id, generation),
                live.family.expires_at,
                live.session,
                live.takes_part,
            ),
        ),
        ring,
    )


def _find_live(
    db: TenantSession, address: TenantAddress, client: AuthenticatedClient, unverified_token: str
) -> LiveToken | OAuthError:
    named = refresh_token.read(db.vault, db.tenant_id, unverified_token)
    found = refreshing.find(db, named.family_id) if named else None
    if named is None or found is None:
        return invalid_grant(_WRONG_TOKEN, "unknown refresh token")
    facts, family = found.token, found.family
    if facts.issuer != address.issuer:
        return invalid_grant(_WRONG_TOKEN, "another issuer's refresh token")
    application = client.application
    # §6: "ensure that the refresh token was issued to the authenticated client".
    if family.client_id != application.client_id:
        return invalid_grant(_WRONG_TOKEN, "another application's refresh token")
    # RFC 9449 §5, RFC 8705 §4. Whoever has not the key is not the application, so that an older
    # token ends nothing either: a thief could end the family with it.
    if not dpop.holds(facts.confirmation, client.confirmation):
        return invalid_grant("The refresh token is bound to another key.", "another key")
    use = judge(
        RefreshFacts(
            presented=named.generation,
            newest=facts.generation,
            rotated_at=facts.rotated_at,
            ended=family.ended_at is not None,
            ends_at=facts.ends_at,
            overlap=application.refresh_token_overlap,
            now=db.now,
        )
    )
    if use is Use.REPLAYED:
        revoke.end_family(db, family.id, "refresh token replayed", family.client_id)
        return invalid_grant(_WRONG_TOKEN, "replayed refresh token")
    if use is Use.OVER:
        return invalid_grant(_WRONG_TOKEN, "expired or ended refresh token")
    return LiveToken(
        use, named.generation, facts, family, found.user, found.session, found.takes_part
    )


def _consented(
    db: TenantSession,
    address: TenantAddress,
    client: AuthenticatedClient,
    facts: RefreshTokenFacts,
    user: UserFacts,
) -> Admission:
    application = client.application
    if application.is_first_party:
        return admission.may_stay(application, None)
    audience = facts.audience or address.userinfo_audience
    stored = consents.find(db, user.id, application.client_id, audience)
    return admission.may_stay(application, stored)


def _decide(
    db: TenantSession,
    client: AuthenticatedClient,
    presented: Presented,
    facts: RefreshTokenFacts,
    user: UserFacts,
    aimed: Aim,
    within: Within | None,
) -> tuple[str, ...] | OAuthError:
    """The scopes of this answer: what was granted once and still is, cut to what is asked."""
    held = admission.within_granted(presented.scopes, facts.scopes)
    if isinstance(held, Refused):
        return refusal(held)
    asked = (aimed.audience, facts.scopes)
    decision = decide_for(db, client.application, aimed.api, asked, user, within)
    found = admission.refreshed(decision)
    if isinstance(found, Refused):
        return refusal(found, decision.error if isinstance(decision, Refused) else "")
    granted = decision.scopes if isinstance(decision, Granted) else ()
    return scopes.cut(presented.scopes or facts.scopes, granted)
