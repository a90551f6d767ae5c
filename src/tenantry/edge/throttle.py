"""RFC 6585 §4: who asks for more than the tenant's environment allows is told when to come back."""

from __future__ import annotations

from tenantry.oauth.errors import OAuthError
from tenantry.rules.rate_limits import RateLimit
from tenantry.services.management_access import TenantGone, load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime


class TooManyRequests(OAuthError):
    """An allowance is used up for now."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "too_many_requests",
            f"There were too many requests. Try again in {retry_after} s.",
            429,
            {"Retry-After": str(retry_after)},
        )


async def spend(runtime: Runtime, context: RequestContext, limit: RateLimit, key: str) -> None:
    """Counts one request of `key` at the tenant. TooManyRequests where it is one too many."""
    tenant_id = context.address.tenant_id
    try:
        tenant = await load_tenant(runtime, tenant_id)
    except TenantGone:
        return
    wait = runtime.throttle.wait(tenant.environment, limit, f"{tenant_id} {key}")
    if wait:
        raise TooManyRequests(wait)
