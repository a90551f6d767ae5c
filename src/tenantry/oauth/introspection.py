"""RFC 7662 and, signed, RFC 9701: what an opaque or a doubtful token is worth now.

Law: only who may know hears more than `{"active": false}`: of a refresh token the application
that it was made for, of an access token also each application with a client grant for its API.
"""

from __future__ import annotations

from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.facts import (
    ApplicationFacts,
    SigningAlgorithm,
    SubjectType,
    TenantFacts,
    TokenEndpointAuthMethod,
)
from tenantry.oauth import client_authentication, rar
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.errors import InvalidClient, OAuthError
from tenantry.oauth.machine_tokens import genuine_claims, is_encrypted
from tenantry.oauth.membership import organization_in, still_within
from tenantry.oauth.parameters import Parameters
from tenantry.oauth.token_response import token_type
from tenantry.rules.addresses import TenantAddress
from tenantry.rules.compliance import introspection_algorithm
from tenantry.rules.refresh import RefreshFacts, Use, judge
from tenantry.services.apis import find_api, granted_to_application
from tenantry.services.management_access import load_tenant
from tenantry.services.organization_access import claims_in, find_in
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.services.subjects import subject_of
from tenantry.store import applications, presented_tokens, refresh_tokens, tokens, users
from tenantry.store.unit_of_work import TenantSession, recall
from tenantry.tokens import issue, refresh_token
from tenantry.tokens.refresh_token import RefreshToken
from tenantry.tokens.verify import (
    VerifiedClaims,
    revocation_digest,
    token_digest,
    unverified_claims,
)

MEDIA_TYPE = "application/token-introspection+jwt"
INACTIVE: dict[str, Any] = {"active": False}
_NOT_SHOWN = frozenset({"azp", "gty"})


def metadata(issuer: str, tenant: TenantFacts) -> dict[str, Any]:
    """RFC 8414 §2 and RFC 9701 §7. Public applications may not ask."""
    public = TokenEndpointAuthMethod.NONE.value
    return {
        "introspection_endpoint": f"{issuer}oauth/introspect",
        "introspection_endpoint_auth_methods_supported": [
            method for method in client_authentication.METHODS if method != public
        ],
        "introspection_endpoint_auth_signing_alg_values_supported": list(
            client_authentication.SIGNING_ALGORITHMS
        ),
        "introspection_signing_alg_values_supported": list(
            dict.fromkeys((SigningAlgorithm.RS256.value, *map(str, tenant.signing_algorithms)))
        ),
    }


async def introspect(
    runtime: Runtime, context: RequestContext, client: AuthenticatedClient, parameters: Parameters
) -> dict[str, Any]:
    # §2.1: "the authorization server MUST require authentication of protected resources".
    if client.application.is_public:
        raise InvalidClient("a public application cannot introspect")
    unverified_token = parameters.require("token")
    parameters.get("token_type_hint")
    address = context.address
    named = refresh_token.read(runtime.vault, address.tenant_id, unverified_token)
    if named is not None:
        return await runtime.store.read(
            address.tenant_id, context.caller(), _of_refresh_token, address, client, named
        )
    answer = await _of_access_token(runtime, context, unverified_token)
    if answer["active"] and not await _may_know(runtime, address, client, answer):
        return INACTIVE
    return answer


async def sign(
    runtime: Runtime, address: TenantAddress, client: AuthenticatedClient, answer: dict[str, Any]
) -> str:
    """RFC 9701 §5: the answer as a JWT for the application that asked."""
    tenant, application = await load_tenant(runtime, address.tenant_id), client.application
    ring = await key_ring(runtime, tenant)
    alg = introspection_algorithm(application, tenant)
    now = timestamp(runtime.clock.now())
    return issue.introspection(answer, address.issuer, application.client_id, now, ring, alg)


def _of_refresh_token(
    db: TenantSession, address: TenantAddress, client: AuthenticatedClient, named: RefreshToken
) -> dict[str, Any]:
    application = client.application
    found = refresh_tokens.find_with_family(db, named.family_id)
    if found is None:
        return INACTIVE
    facts, family = found
    if family.client_id != application.client_id:
        return INACTIVE
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
    user = users.find(db, family.user_id)
    live = use in {Use.NEWEST, Use.OVERLAPPING} and facts.issuer == address.issuer
    if not live or user is None or user.blocked:
        return INACTIVE
    within = still_within(db, family.organization_id, user)
    if isinstance(within, OAuthError):
        return INACTIVE
    audiences = (facts.audience or address.userinfo_audience).split(" ")
    return {
        "active": True,
        "iss": facts.issuer,
        "sub": subject_of(db.vault, application, user.id),
        # RFC 7662 §2.2: "or list of string identifiers".
        "aud": audiences if len(audiences) > 1 else audiences[0],
        "client_id": family.client_id,
        "scope": " ".join(facts.scopes),
        **rar.shown(facts.authorization_details),
        "iat": timestamp(facts.created_at),
        "exp": timestamp(facts.ends_at),
        **({"cnf": facts.confirmation.as_claim()} if facts.confirmation else {}),
        **claims_in(db, organization_in(within)),
    }


async def _of_access_token(
    runtime: Runtime, context: RequestContext, unverified_token: str
) -> dict[str, Any]:
    address = context.address
    tenant_id = address.tenant_id
    claims = await genuine_claims(runtime, address, unverified_token)
    if claims is None and not is_encrypted(unverified_token):
        return INACTIVE
    if claims is None or not claims.is_machine:
        return await runtime.store.read(
            tenant_id, context.caller(), _of_users_token, address, unverified_token
        )
    application = await _application(runtime, tenant_id, claims.client_id)
    if application is None or await runtime.store.read(
        tenant_id, context.caller(), tokens.is_revoked, revocation_digest(unverified_token)
    ):
        return INACTIVE
    return _shown(dict(claims.claims), application.client_id)


def _of_users_token(
    db: TenantSession, address: TenantAddress, unverified_token: str
) -> dict[str, Any]:
    """What has a family is known by its digest, also where its API alone can read it."""
    found = presented_tokens.find(db, token_digest(unverified_token))
    if found is None or found.family.ended_at is not None or found.token.expires_at <= db.now:
        return INACTIVE
    token, family, user = found.token, found.family, found.user
    encrypted = is_encrypted(unverified_token)
    claims = dict(token.content or {}) if encrypted else unverified_claims(unverified_token)
    client_id = VerifiedClaims(claims).client_id or family.client_id
    application = recall(db, applications.find_by_client_id, client_id)
    if user is None or user.blocked or application is None:
        return INACTIVE
    if claims.get("iss", address.issuer) != address.issuer:
        return INACTIVE
    known = {
        "iss": address.issuer,
        "sub": subject_of(db.vault, application, user.id),
        "exp": timestamp(token.expires_at),
        **claims_in(db, find_in(db, family.organization_id)),
    }
    if token.confirmation is not None:
        known["cnf"] = token.confirmation.as_claim()
    return _shown(known | claims, application.client_id)


def _shown(claims: dict[str, Any], client_id: str) -> dict[str, Any]:
    shown = {name: value for name, value in claims.items() if name not in _NOT_SHOWN}
    # RFC 9449 §6.2: "DPoP", and the thumbprint as it stands in the token.
    kind = token_type(VerifiedClaims(claims).confirmation)
    return {"active": True, **shown, "client_id": client_id, "token_type": kind}


async def _application(runtime: Runtime, tenant_id: str, client_id: str) -> ApplicationFacts | None:
    return await runtime.configuration.get(tenant_id, applications.find_by_client_id, client_id)


async def _may_know(
    runtime: Runtime, address: TenantAddress, client: AuthenticatedClient, answer: dict[str, Any]
) -> bool:
    """§4: the protected resource that the token is for is an application with a client grant."""
    if answer["client_id"] == client.application.client_id:
        return True
    configuration, tenant_id = runtime.configuration, address.tenant_id
    for audience in VerifiedClaims(answer).audiences:
        api = await find_api(configuration, runtime.addresses, tenant_id, audience)
        if api is None:
            continue
        granted = await granted_to_application(
            configuration, tenant_id, client.application.client_id, api, SubjectType.CLIENT
        )
        if granted is not None:
            return True
    return False
