"""What operations cost is taken from a bucket of their caller, one for each tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from tenantry.management.context import ManagementContext
from tenantry.management.errors import request_error
from tenantry.rules.rate_limits import RateLimit, subscriber
from tenantry.services.management_access import Administrator, load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.throttle import Bucket

_READ_BYTES = 4
"""So many of a document that is new to the process cost 1: to read it takes the longer."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose bucket it is: that of the caller, or of an address where nobody is signed in."""

    runtime: Runtime
    request: RequestContext
    asked_by: Administrator | None

    @property
    def key(self) -> str:
        if self.asked_by is None:
            return subscriber(self.request.facts.ip)
        actor = self.asked_by.actor
        return f"{actor.tenant_id}/{actor.kind}/{actor.id}"


async def spend(asker: Asker, limit: RateLimit, amount: int = 1) -> Bucket | None:
    """Takes from the bucket of the caller at the tenant; None without limits."""
    tenant_id = asker.request.address.tenant_id
    return await _take(asker.runtime, tenant_id, limit, f"{tenant_id} {asker.key}", amount)


async def _take(
    runtime: Runtime, tenant_id: str, limit: RateLimit, key: str, amount: int
) -> Bucket | None:
    tenant = await load_tenant(runtime, tenant_id)
    return runtime.throttle.take(tenant.environment, limit, key, max(1, amount))


async def spend_for_reading(asker: Asker, text: str) -> GraphQLError | None:
    """For a document that is read for the first time, be it valid or not. The refusal, if any."""
    amount = min(1 + len(text) // _READ_BYTES, asker.runtime.max_graphql_cost)
    return refusal(await spend(asker, RateLimit.GRAPHQL_COST, amount))


async def spend_for_stranger(runtime: Runtime, request: RequestContext) -> GraphQLError | None:
    """For a request whose token proves nobody. The refusal, if any."""
    asker = Asker(runtime, request, None)
    return refusal(await spend(asker, RateLimit.FAILED_AUTHENTICATION))


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
    """A GraphQLError where the tenant's keys were changed too often lately, by whomever."""
    runtime, tenant_id = context.runtime, context.tenant_id
    refused = refusal(await _take(runtime, tenant_id, RateLimit.KEY_ROTATION, tenant_id, 1))
    if refused is not None:
        raise refused
