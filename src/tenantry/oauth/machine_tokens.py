"""RFC 7009 and RFC 7662: the tokens of applications that speak for themselves. Nobody stores them.

Law: such a token is known by its signature alone: the tenant's, or by HS256 that of its one API.
One that is encrypted nobody but its API can read, and here it is no token at all.
"""

from __future__ import annotations

from tenantry.core.clock import timestamp
from tenantry.rules.addresses import TenantAddress
from tenantry.services.apis import find_api, signing_secret
from tenantry.services.management_access import load_tenant
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.tokens.verify import (
    InvalidToken,
    VerifiedClaims,
    is_signed_by_secret,
    unverified_claims,
    verify_for_api_with_secret,
    verify_own_access_token,
)


async def machine_claims(
    runtime: Runtime, address: TenantAddress, unverified_token: str
) -> VerifiedClaims | None:
    """The claims of a token that is genuine and has not expired; None for every other token."""
    claims = await genuine_claims(runtime, address, unverified_token)
    return claims if claims is not None and claims.is_machine else None


async def genuine_claims(
    runtime: Runtime, address: TenantAddress, unverified_token: str
) -> VerifiedClaims | None:
    """The same for a token of anybody: by a key or a secret that still counts."""
    try:
        return await _verify(runtime, address, unverified_token)
    except InvalidToken:
        return None


def is_encrypted(unverified_token: str) -> bool:
    """Whether a token has the five parts of a JWE (RFC 7516 §3.1), readable to its API alone."""
    return unverified_token.count(".") == 4


async def _verify(
    runtime: Runtime, address: TenantAddress, unverified_token: str
) -> VerifiedClaims:
    now = timestamp(runtime.clock.now())
    if not is_signed_by_secret(unverified_token):
        ring = await key_ring(runtime, await load_tenant(runtime, address.tenant_id))
        return verify_own_access_token(unverified_token, ring, address.issuer, now)
    unverified_audience = unverified_claims(unverified_token).get("aud")
    if not isinstance(unverified_audience, str):
        raise InvalidToken("HS256 for more than one API")
    configuration, tenant_id = runtime.configuration, address.tenant_id
    api = await find_api(configuration, runtime.addresses, tenant_id, unverified_audience)
    secret = await signing_secret(configuration, tenant_id, api) if api else None
    if api is None or secret is None:
        raise InvalidToken("no API with a secret")
    return verify_for_api_with_secret(unverified_token, secret, api.identifier, address.issuer, now)
