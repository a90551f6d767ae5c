"""Who may administer: the bearer of a token for a tenant's management API."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tenantry.core.clock import timestamp
from tenantry.core.confirmation import Confirmation
from tenantry.core.context import Actor, Caller
from tenantry.core.facts import ApplicationFacts, ResourceServerFacts, SubjectType, TenantFacts
from tenantry.rules.custom_domains import domain_of_host
from tenantry.rules.step_up import is_recent
from tenantry.services.apis import find_api, granted_to_application, permitted_to_user
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.store import (
    applications,
    installation,
    presented_tokens,
    sessions,
    tokens,
    users,
    verified_domains,
)
from tenantry.store.unit_of_work import INSTALLATION, TenantSession
from tenantry.tokens.verify import (
    InvalidToken,
    VerifiedClaims,
    revocation_digest,
    token_digest,
    unverified_claims,
    verify_access_token,
)


class TenantGone(LookupError):
    """The tenant was deleted after the address had been resolved to it."""


class SignInTooOld(InvalidToken):
    """RFC 9470 §3: the person has to sign in again. `max_age` is in seconds."""

    def __init__(self, max_age: int) -> None:
        super().__init__("the sign-in is too old")
        self.max_age = max_age


@dataclass(frozen=True, slots=True)
class Administrator:
    """A verified caller of the management API. `scopes` are those that it has now.

    `confirmation` is what its token is bound to, which it has to prove.
    """

    actor: Actor
    scopes: frozenset[str]
    client_id: str
    application: ApplicationFacts
    by_root: bool
    confirmation: Confirmation | None = None


async def load_tenant(runtime: Runtime, tenant_id: str) -> TenantFacts:
    """The settings of a tenant, from memory where nothing has changed."""
    tenant = await runtime.configuration.get(tenant_id, installation.find_tenant, tenant_id)
    if tenant is None:
        raise TenantGone
    return tenant


async def authorize(
    runtime: Runtime, context: RequestContext, unverified_token: str
) -> Administrator:
    """InvalidToken unless the token is the tenant's own, or the root's for this very tenant."""
    address = context.address
    claims, issued_by = await _verify(runtime, context, unverified_token)
    api = await find_api(
        runtime.configuration, runtime.addresses, issued_by.id, address.management_identifier
    )
    application = await runtime.configuration.get(
        issued_by.id, applications.find_by_client_id, claims.client_id
    )
    if api is None or application is None:
        raise InvalidToken("the API or the application is gone")
    if claims.is_machine:
        if await runtime.store.read(
            issued_by.id, context.caller(), tokens.is_revoked, revocation_digest(unverified_token)
        ):
            raise InvalidToken("revoked")
        granted = await granted_to_application(
            runtime.configuration, issued_by.id, claims.client_id, api, SubjectType.CLIENT
        )
        actor = Actor("application", application.client_id, application.name, issued_by.id)
    else:
        max_age = (await load_tenant(runtime, address.tenant_id)).management_max_age
        actor, granted = await runtime.store.read(
            issued_by.id, context.caller(), _user_facts, unverified_token, api, max_age
        )
    return Administrator(
        actor=actor,
        scopes=frozenset(claims.scopes) & frozenset(granted or ()),
        client_id=application.client_id,
        application=application,
        by_root=issued_by.is_root,
        confirmation=claims.confirmation,
    )


async def scopes_now(
    runtime: Runtime, tenant_id: str, actor: Actor, client_id: str, scopes: Collection[str]
) -> frozenset[str]:
    """What is left of the scopes of a token that an application or user once had."""
    runtime.configuration.refresh(tenant_id, actor.tenant_id)
    try:
        tenant = await load_tenant(runtime, tenant_id)
    except TenantGone:
        return frozenset()
    issuer = runtime.addresses.issuer(tenant.name, is_root=tenant.is_root)
    api = await find_api(
        runtime.configuration, runtime.addresses, actor.tenant_id, f"{issuer}graphql"
    )
    application = await runtime.configuration.get(
        actor.tenant_id, applications.find_by_client_id, client_id
    )
    if api is None or application is None:
        return frozenset()
    if actor.kind == "application":
        granted = await granted_to_application(
            runtime.configuration, actor.tenant_id, client_id, api, SubjectType.CLIENT
        )
    else:
        granted = await runtime.store.read(
            actor.tenant_id, Caller(actor), _permitted_now, actor.id, api
        )
    return frozenset(scopes) & frozenset(granted or ())


def _permitted_now(
    db: TenantSession, user_id: str, api: ResourceServerFacts
) -> tuple[str, ...] | None:
    user = users.find(db, user_id)
    return None if user is None or user.blocked else permitted_to_user(db, user.id, api)


async def _verify(
    runtime: Runtime, context: RequestContext, unverified_token: str
) -> tuple[VerifiedClaims, TenantFacts]:
    """The claims, and the tenant that issued the token: this one or the root."""
    address = context.address
    now = timestamp(runtime.clock.now())
    tenant = await load_tenant(runtime, address.tenant_id)
    ring = await key_ring(runtime, tenant)
    issuer = await _issuer_of(runtime, tenant, unverified_token)
    try:
        return (
            verify_access_token(unverified_token, ring, issuer, address.management_identifier, now),
            tenant,
        )
    except InvalidToken:
        if tenant.is_root:
            raise
    identity = await runtime.configuration.get(INSTALLATION, installation.tenant_identity, "")
    if identity is None:
        raise InvalidToken("no root")
    runtime.configuration.refresh(identity[0])
    root = await load_tenant(runtime, identity[0])
    issuer = await _issuer_of(runtime, root, unverified_token)
    ring = await key_ring(runtime, root)
    claims = verify_access_token(unverified_token, ring, issuer, address.management_identifier, now)
    if set(claims.audiences) - {f"{issuer}userinfo"} != {address.management_identifier}:
        raise InvalidToken("the root's token is not for exactly this tenant")
    return claims, root


async def _issuer_of(runtime: Runtime, tenant: TenantFacts, unverified_token: str) -> str:
    """Where the tenant would have issued a token: the domain that it names, if it is the tenant's,
    or else the canonical address.
    """
    unverified_issuer = unverified_claims(unverified_token).get("iss")
    canonical = runtime.addresses.issuer(tenant.name, is_root=tenant.is_root)
    if not isinstance(unverified_issuer, str) or unverified_issuer == canonical:
        return canonical
    domain = domain_of_host(unverified_issuer.removeprefix("https://").removesuffix("/"))
    if domain is None:
        return canonical
    found = await runtime.configuration.get(INSTALLATION, verified_domains.of_host, domain)
    return found.facts.issuer if found and found.tenant_id == tenant.id else canonical


def _user_facts(
    db: TenantSession, unverified_token: str, api: ResourceServerFacts, max_age: int | None
) -> tuple[Actor, tuple[str, ...]]:
    # The token's `sub` may be pairwise; its family says whose it is.
    found = presented_tokens.find(db, token_digest(unverified_token))
    if found is None or found.family.ended_at is not None:
        raise InvalidToken("the sign-in is gone")
    user, family = found.user, found.family
    if user is None or user.blocked:
        raise InvalidToken("the user is gone")
    if max_age is not None:
        session = sessions.find(db, family.session_id) if family.session_id else None
        signed_in_here = family.created_at if family.session_id is None else None
        auth_time = session.auth_time if session else signed_in_here
        if not is_recent(auth_time, max_age, db.now):
            raise SignInTooOld(max_age)
    name = user.email or user.username or user.id
    return Actor("user", user.id, name, db.tenant_id), permitted_to_user(
        db, user.id, api, family.organization_id
    )
