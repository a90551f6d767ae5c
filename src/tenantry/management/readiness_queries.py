"""What stands between the tenant and its real users."""

from __future__ import annotations

import asyncio
from typing import Annotated

import strawberry

from tenantry.core.readiness import OF_TENANT
from tenantry.management.context import Info, ManagementContext
from tenantry.management.errors import request_error
from tenantry.management.fields import field
from tenantry.management.permissions import require_scopes
from tenantry.management.types.readiness import (
    DISMISSED,
    PASSED,
    ReadinessCheck,
    readiness_of,
    shown,
)
from tenantry.services.readiness import tenant_readiness

MAX_APPLICATIONS = 100
OF_APPLICATIONS = (
    ("read:applications", "read:client_grants", "read:credentials", "read:tenant_settings"),
)


@strawberry.type
class ReadinessQueries:
    @field(
        "The readiness checks of the tenant, its APIs and its connections, of which the oldest "
        "1,000 each are looked at; or, with `clientIds`, those of applications.",
        ("read:tenant_settings", "read:resource_servers", "read:connections"),
    )
    async def readiness_checks(
        self,
        info: Info,
        client_ids: Annotated[
            list[str] | None,
            strawberry.argument(
                description=(
                    "Only the checks of these applications, at most 100; this needs "
                    "`read:applications`, `read:client_grants` and `read:credentials` besides. By "
                    "default those of the tenant."
                )
            ),
        ] = None,
        passed: Annotated[bool | None, PASSED] = None,
        dismissed: Annotated[bool | None, DISMISSED] = False,
    ) -> list[ReadinessCheck] | None:
        if client_ids is not None:
            require_scopes(info.context, OF_APPLICATIONS)
            return await _of_applications(info.context, client_ids, passed, dismissed)
        found = await info.context.read(tenant_readiness, info.context.request.address)
        dismissals = await info.context.loaders.readiness_dismissals.load(OF_TENANT)
        return shown(found, dismissals, passed, dismissed)


async def _of_applications(
    context: ManagementContext,
    client_ids: list[str],
    passed: bool | None,
    dismissed: bool | None,
) -> list[ReadinessCheck]:
    """Of all by a constant number of statements, in the order in which they were named."""
    names = list(dict.fromkeys(client_ids))
    if len(names) > MAX_APPLICATIONS:
        raise request_error("BAD_REQUEST", f"At most {MAX_APPLICATIONS} client ids.")
    found = await context.loaders.application.load_many(names)
    for name, application in zip(names, found, strict=True):
        if application is None:
            raise request_error("BAD_REQUEST", f"There is no application {name[:128]}.")
    lists = await asyncio.gather(
        *(readiness_of(context, one, passed, dismissed) for one in found if one is not None)
    )
    return [check for checks in lists for check in checks]
