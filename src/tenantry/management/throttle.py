"""What operations cost is taken from a bucket of their caller, one for each tenant."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

from tenantry.management.context import ManagementContext
from tenantry.management.errors import request_error
from tenantry.rules.rate_limits import RateLimit
from tenantry.services.management_access import load_tenant
from tenantry.services.throttle import Bucket


async def spend(
    context: ManagementContext, limit: RateLimit, amount: int = 1, *, by_caller: bool = True
) -> Bucket | None:
    """Takes from the bucket of the caller, or of all callers of the tenant; None without limits."""
    tenant_id = context.tenant_id
    tenant = await load_tenant(context.runtime, tenant_id)
    key = f"{tenant_id} {_caller(context)}" if by_caller else tenant_id
    return context.runtime.throttle.take(tenant.environment, limit, key, max(1, amount))


def _caller(context: ManagementContext) -> str:
    if context.asked_by is None:
        return context.request.facts.ip
    actor = context.asked_by.actor
    return f"{actor.tenant_id}/{actor.kind}/{actor.id}"


def state(bucket: Bucket | None) -> dict[str, Any]:
    """The bucket as `extensions.cost` shows it; nothing where nothing is limited."""
    if bucket is None:
        return {}
    return {
        "throttle": {
            "maximum": bucket.maximum,
            "available": bucket.available,
            "restoreRate": max(1, int(bucket.restore_rate)),
        }
    }


def refusal(bucket: Bucket | None) -> GraphQLError | None:
    if bucket is None or not bucket.retry_after:
        return None
    return request_error(
        "THROTTLED",
        f"There were too many requests. Try again in {bucket.retry_after} s.",
        retryAfter=bucket.retry_after,
    )


async def require_rotation_allowed(context: ManagementContext) -> None:
    """A GraphQLError where the tenant's keys were changed too often lately."""
    refused = refusal(await spend(context, RateLimit.KEY_ROTATION, by_caller=False))
    if refused is not None:
        raise refused
