"""RFC 7009: an application gives a token back.

Law: only its own tokens; for any other, and for what is no token, the answer is the same 200. A
refresh token takes its whole family with it, an access token goes alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tenantry.core.context import Actor
from tenantry.core.facts import TenantFacts
from tenantry.oauth import client_authentication
from tenantry.oauth.client_authentication import AuthenticatedClient
from tenantry.oauth.machine_tokens import machine_claims
from tenantry.oauth.parameters import Parameters
from tenantry.rules.addresses import TenantAddress
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.store import consents, refresh_tokens, tokens
from tenantry.store.audit import Event, record
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens import refresh_token, revoke
from tenantry.tokens.verify import (
    VerifiedClaims,
    revocation_digest,
    token_digest,
    unverified_claims,
)


def metadata(issuer: str) -> dict[str, Any]:
    """RFC 8414 §2."""
    return {
        "revocation_endpoint": f"{issuer}oauth/revoke",
        "revocation_endpoint_auth_methods_supported": list(client_authentication.METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(
            client_authentication.SIGNING_ALGORITHMS
        ),
    }


async def revoke_token(
    runtime: Runtime, context: RequestContext, client: AuthenticatedClient, parameters: Parameters
) -> None:
    """§2.1. `token_type_hint` is only a hint: every kind is looked for, whatever it says."""
    unverified_token = parameters.require("token")
    parameters.get("token_type_hint")
    application, address = client.application, context.address
    tenant = await load_tenant(runtime, address.tenant_id)
    machine = await machine_claims(runtime, address, unverified_token)
    actor = Actor("application", application.client_id, application.name, tenant.id)
    await runtime.store.write(
        tenant.id,
        context.caller(actor),
        _revoke,
        tenant,
        address,
        application.client_id,
        unverified_token,
        machine,
    )


def _revoke(
    db: TenantSession,
    tenant: TenantFacts,
    address: TenantAddress,
    client_id: str,
    unverified_token: str,
    machine: VerifiedClaims | None,
) -> None:
    if machine is not None:
        if machine.client_id == client_id:
            _revoke_machine_token(db, client_id, unverified_token, machine)
        return
    named = refresh_token.read(db.vault, db.tenant_id, unverified_token)
    if named is not None:
        _revoke_refresh_token(db, tenant, address, client_id, named.family_id)
        return
    digest = token_digest(unverified_token)
    family = tokens.family_of_access_token(db, digest)
    if family is None:
        return
    # A token that was exchanged is in the family of another application's.
    owner = VerifiedClaims(unverified_claims(unverified_token)).client_id or family.client_id
    if owner != client_id:
        return
    if tokens.forget_access_token(db, digest):
        _record(db, client_id, family.user_id)


def _revoke_machine_token(
    db: TenantSession, client_id: str, unverified_token: str, claims: VerifiedClaims
) -> None:
    expires_at = datetime.fromtimestamp(claims.claims["exp"], UTC)
    if tokens.revoke(db, revocation_digest(unverified_token), expires_at):
        _record(db, client_id, None)


def _revoke_refresh_token(
    db: TenantSession, tenant: TenantFacts, address: TenantAddress, client_id: str, family_id: str
) -> None:
    family = tokens.find_family(db, family_id)
    facts = refresh_tokens.find(db, family_id)
    if family is None or facts is None or family.ended_at is not None:
        return
    # §2.1: "verifies whether the token was issued to the client making the revocation request".
    if family.client_id != client_id or facts.issuer != address.issuer:
        return
    revoke.end_family(db, family_id, "revoked", client_id)
    if tenant.refresh_token_revocation_deletes_grant:
        revoke.end_families_of_client(db, family.user_id, client_id)
        if consents.delete_for_client(db, family.user_id, client_id):
            record(db, Event("consent.deleted", client_id=client_id, user_id=family.user_id))


def _record(db: TenantSession, client_id: str, user_id: str | None) -> None:
    record(db, Event("token.revoked", client_id=client_id, user_id=user_id))
