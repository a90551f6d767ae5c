"""What stands between the tenant and its real users."""

from __future__ import annotations

import strawberry

from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.types.readiness import ReadinessCheck
from tenantry.services.readiness import tenant_readiness


@strawberry.type
class ReadinessQueries:
    @field(
        "The readiness checks of the tenant, its APIs and its connections, of which the oldest "
        "1,000 each are looked at. Each application has its own in `readinessChecks`.",
        ("read:tenant_settings", "read:resource_servers", "read:connections"),
    )
    async def readiness_checks(self, info: Info) -> list[ReadinessCheck] | None:
        found = await info.context.read(tenant_readiness, info.context.request.address)
        return [ReadinessCheck.of(check) for check in found]
