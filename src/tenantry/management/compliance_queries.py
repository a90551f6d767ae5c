"""What a compliance level demands of an application."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.compliance import ComplianceLevel
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.types.compliance import ComplianceReport
from tenantry.services.compliance import report


@strawberry.type
class ComplianceQueries:
    @field(
        "Each requirement of a compliance level, whether the application meets it and which "
        "setting decides. Null where the application is not known, or where it has no level and "
        "none is asked about.",
        ("read:applications", "read:tenant_settings"),
    )
    async def compliance_report(
        self,
        info: Info,
        client_id: Annotated[
            str, strawberry.argument(description="The `clientId` of the application.")
        ],
        level: Annotated[
            ComplianceLevel | None,
            strawberry.argument(
                description="The level to report on. By default the application's own."
            ),
        ] = None,
    ) -> ComplianceReport | None:
        found = await info.context.read(report, client_id, level)
        return ComplianceReport.of(found) if found else None
