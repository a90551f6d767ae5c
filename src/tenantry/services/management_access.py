"""Who may administer: the bearer of a token for a tenant's management API."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.clock import timestamp
from tenantry.core.context import Actor
from tenantry.core.facts import ApplicationFacts, ResourceServerFacts, SubjectType, TenantFacts
from tenantry.services.apis import find_api, granted_to_application, permitted_to_user
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.store import applications, installation, tokens, users
from tenantry.store.unit_of_work import INSTALLATION, TenantSession
from tenantry.tokens.verify import (
    InvalidToken,
    VerifiedClaims,
    revocation_digest,
    token_digest,
    verify_access_token,
)


class TenantGone(LookupError):
    """The tenant was deleted after the address had been resolved to it."""


@dataclass(frozen=True, slots=True)
class Administrator:
    """A verified caller of the management API. `scopes` are those that it has now."""

    actor: Actor
    scopes: frozenset[str]
    client_id: str
    application: ApplicationFacts
    by_root: bool


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
        actor, granted = await runtime.store.read(
            issued_by.id, context.caller(), _user_facts, unverified_token, api
        )
    return Administrator(
        actor=actor,
        scopes=frozenset(claims.scopes) & frozenset(granted or ()),
        client_id=application.client_id,
        application=application,
        by_root=issued_by.is_root,
    )


async def _verify(
    runtime: Runtime, context: RequestContext, unverified_token: str
) -> tuple[VerifiedClaims, TenantFacts]:
    """The claims, and the tenant that issued the token: this one or the root."""
    address = context.address
    now = timestamp(runtime.clock.now())
    tenant = await load_tenant(runtime, address.tenant_id)
    ring = await key_ring(runtime, tenant)
    try:
        return (
            verify_access_token(
                unverified_token, ring, address.issuer, address.management_identifier, now
            ),
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
    claims = verify_access_token(
        unverified_token,
        await key_ring(runtime, root),
        runtime.addresses.issuer(root.name, is_root=True),
        address.management_identifier,
        now,
    )
    userinfo = f"{runtime.addresses.public_url}/userinfo"
    if set(claims.audiences) - {userinfo} != {address.management_identifier}:
        raise InvalidToken("the root's token is not for exactly this tenant")
    return claims, root


def _user_facts(
    db: TenantSession, unverified_token: str, api: ResourceServerFacts
) -> tuple[Actor, tuple[str, ...]]:
    # The token's `sub` may be pairwise; its family says whose it is.
    family = tokens.family_of_access_token(db, token_digest(unverified_token))
    user = users.find(db, family.user_id) if family and family.user_id else None
    if user is None or user.blocked or family is None or family.ended_at is not None:
        raise InvalidToken("the user or the sign-in is gone")
    name = user.email or user.username or user.id
    return Actor("user", user.id, name, db.tenant_id), permitted_to_user(db, user.id, api)
