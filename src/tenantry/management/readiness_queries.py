"""What stands between the tenant and its real users."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.readiness import OF_TENANT
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.types.readiness import DISMISSED, PASSED, ReadinessCheck, shown
from tenantry.services.readiness import tenant_readiness


@strawberry.type
class ReadinessQueries:
    @field(
        "The readiness checks of the tenant, its APIs and its connections, of which the oldest "
        "1,000 each are looked at. Each application has its own in `readinessChecks`.",
        ("read:tenant_settings", "read:resource_servers", "read:connections"),
    )
    async def readiness_checks(
        self,
        info: Info,
        passed: Annotated[bool | None, PASSED] = None,
        dismissed: Annotated[bool | None, DISMISSED] = False,
    ) -> list[ReadinessCheck] | None:
        found = await info.context.read(tenant_readiness, info.context.request.address)
        dismissals = await info.context.loaders.readiness_dismissals.load(OF_TENANT)
        return shown(found, dismissals, passed, dismissed)
