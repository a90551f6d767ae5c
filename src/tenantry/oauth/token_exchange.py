"""RFC 8693: an application trades a user's token of this tenant for one of another API.

Law: the new token can do no more than the old one, lives no longer, and ends with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.context import Actor
from tenantry.core.facts import ApplicationFacts, GrantType, ResourceServerFacts, TenantFacts
from tenantry.keys.signing import KeyRing
from tenantry.oauth import user_tokens
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.errors import OAuthError, invalid_request, refusal, require
from tenantry.oauth.exchange_tokens import (
    ACCESS_TOKEN,
    ID_TOKEN,
    Presented,
    SubjectToken,
    read_actor,
    read_subject,
)
from tenantry.oauth.membership import organization_in, still_within
from tenantry.oauth.parameters import MAX_RESOURCES, Parameters
from tenantry.oauth.resource_indicators import takes_several
from tenantry.oauth.silent_consent import require_consent
from tenantry.oauth.token_response import TokenResponse
from tenantry.rules import admission
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.authorization import Refused
from tenantry.services.apis import find_target_in
from tenantry.services.management_access import load_tenant
from tenantry.services.organization_access import Within
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.services.user_flow import decide_for
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens import issue

GRANT_TYPE = GrantType.TOKEN_EXCHANGE.value
_MAX_ACTORS = 8


@dataclass(frozen=True, slots=True)
class _Asked:
    """The request (§2.1), with nothing verified but its form."""

    audience: str
    scopes: tuple[str, ...]
    subject: Presented
    actor: Presented | None


async def grant(
    runtime: Runtime,
    context: RequestContext,
    client: AuthenticatedClient,
    parameters: Parameters,
) -> TokenResponse:
    application, address = client.application, context.address
    require(admission.may_use(application, GrantType.TOKEN_EXCHANGE))
    tenant = await load_tenant(runtime, address.tenant_id)
    asked = _read(parameters, tenant)
    require(admission.may_exchange_for(application, asked.audience))
    ring = await key_ring(runtime, tenant)
    actor = Actor("application", application.client_id, application.name, tenant.id)
    result = await runtime.store.write(
        tenant.id, context.caller(actor), _exchange, runtime, address, client, asked, ring
    )
    if isinstance(result, OAuthError):
        raise result
    return result


def _read(parameters: Parameters, tenant: TenantFacts) -> _Asked:
    if parameters.get("requested_token_type") not in {None, ACCESS_TOKEN}:
        raise invalid_request("The requested_token_type must be an access token.")
    subject = Presented(parameters.require("subject_token"), _type(parameters, "subject_token"))
    unverified_actor, actor = parameters.get("actor_token"), None
    if unverified_actor is not None:
        actor = Presented(unverified_actor, _type(parameters, "actor_token"))
    elif parameters.get("actor_token_type") is not None:
        # §2.1: the type "MUST NOT be included" without the token.
        raise invalid_request("The parameter actor_token is missing.")
    default = tenant.default_audience
    targets = parameters.targets() or ((default,) if default else ())
    require(admission.has_audience(targets[0] if targets else None))
    if len(targets) > (MAX_RESOURCES if takes_several(tenant) else 1):
        raise OAuthError("invalid_target", "A token is for one target at a time.")
    return _Asked(" ".join(sorted(targets)), parameters.scopes(), subject, actor)


def _type(parameters: Parameters, name: str) -> str:
    given = parameters.require(f"{name}_type")
    if given not in {ACCESS_TOKEN, ID_TOKEN}:
        raise invalid_request(f"The {name}_type must be an access token or an ID token.")
    return given


def _exchange(
    db: TenantSession,
    runtime: Runtime,
    address: TenantAddress,
    client: AuthenticatedClient,
    asked: _Asked,
    ring: KeyRing,
) -> TokenResponse | OAuthError:
    """Verify, decide, issue."""
    application = client.application
    subject = read_subject(db, address, ring, client, asked.subject)
    act = _acting(db, address, ring, client, asked, subject)
    api = find_target_in(db, runtime.addresses, asked.audience)
    if api is None:
        raise OAuthError("invalid_target", admission.UNKNOWN_AUDIENCE)
    within = still_within(db, subject.claims.get("org_id"), subject.user)
    if isinstance(within, OAuthError):
        raise invalid_request(admission.LEFT_ORGANIZATION)
    granted = _granted(db, application, api, asked, subject, within)
    lifetime = subject.expires_at - timestamp(db.now)
    response = user_tokens.issue_tokens(
        db,
        address,
        user_tokens.UserGrant(
            grant_type=GRANT_TYPE,
            client=client,
            user=subject.user,
            api=api,
            scopes=granted,
            session_id=subject.session_id,
            auth_time=subject.auth_time,
            nonce=None,
            organization=organization_in(within),
            family_id=subject.family_id or issue.new_family_id(),
            exchange=user_tokens.Exchange(lifetime, subject.family_id is not None, act),
        ),
        ring,
    )
    response["issued_token_type"] = ACCESS_TOKEN
    return response


def _granted(
    db: TenantSession,
    application: ApplicationFacts,
    api: ResourceServerFacts,
    asked: _Asked,
    subject: SubjectToken,
    within: Within | None,
) -> tuple[str, ...]:
    """What the old token, the API and the policies all allow, of what was asked."""
    requested = admission.exchangeable(api, asked.scopes, subject.scopes)
    decision = decide_for(db, application, api, (api.identifier, requested), subject.user, within)
    if isinstance(decision, Refused):
        raise refusal(decision)
    require(admission.exchanged(asked.scopes, decision.scopes))
    require_consent(db, application, api, decision.scopes, subject.user)
    return decision.scopes


def _acting(
    db: TenantSession,
    address: TenantAddress,
    ring: KeyRing,
    client: AuthenticatedClient,
    asked: _Asked,
    subject: SubjectToken,
) -> Mapping[str, Any] | None:
    """The `act` claim (§4.1): who acts now, and within it who acted before."""
    application = client.application
    may_act, earlier = subject.claims.get("may_act"), subject.claims.get("act")
    if asked.actor is None:
        # §4.4: `may_act` says who alone may act; without a token that is the application itself.
        own = {"client_id": application.client_id, "sub": f"{application.client_id}@clients"}
        if may_act is not None and not _names(may_act, own | {"iss": address.issuer}):
            raise invalid_request("The subject_token names somebody else in may_act.")
        return earlier if isinstance(earlier, Mapping) else None
    actor = read_actor(db, address, ring, client, asked.actor)
    if may_act is None:
        if actor.client_id != application.client_id:
            raise invalid_request("The subject_token has no may_act for this actor.")
    elif not _names(may_act, actor.names | {"iss": address.issuer}):
        raise invalid_request("The subject_token names somebody else in may_act.")
    act: dict[str, Any] = {"sub": actor.names["sub"]}
    if isinstance(earlier, Mapping):
        act["act"] = earlier
    if _depth(act) > _MAX_ACTORS:
        raise invalid_request("Too many actors have acted before.")
    return act


def _names(may_act: Any, actor: Mapping[str, str]) -> bool:
    """Whether every member that the claim has is the actor's."""
    if not isinstance(may_act, Mapping) or not {"sub", "client_id"} & may_act.keys():
        return False
    return all(actor.get(name) == value for name, value in may_act.items())


def _depth(act: Any) -> int:
    depth = 0
    while isinstance(act, Mapping):
        act, depth = act.get("act"), depth + 1
    return depth
