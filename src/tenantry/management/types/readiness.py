"""Readiness checks as the schema shows them."""

from __future__ import annotations

import strawberry

from tenantry.core.facts import ApplicationFacts
from tenantry.management.context import ManagementContext
from tenantry.management.types.common import publish
from tenantry.management.types.enums import describe_enum
from tenantry.rules import readiness
from tenantry.rules.application_readiness import ApplicationReadinessFacts, check_application
from tenantry.rules.readiness import ReadinessSeverity
from tenantry.services.management_access import load_tenant

describe_enum(
    ReadinessSeverity,
    "How much a failed readiness check matters.",
    {
        ReadinessSeverity.ERROR: "Do not go live with it.",
        ReadinessSeverity.WARNING: "Go live only if you know why it is so.",
        ReadinessSeverity.NOTICE: "Worth a look.",
    },
)


@strawberry.type(description="One thing to look at before real users come, and its remedy.")
class ReadinessCheck:
    check: str = strawberry.field(description="Its name, as in `local_callbacks`; it stays.")
    severity: ReadinessSeverity = strawberry.field(
        description=(
            "How much it matters if it failed. Some checks are notices until the tenant's "
            "environment is `PRODUCTION`."
        )
    )
    passed: bool = strawberry.field(description="Whether all is well.")
    reason: str = strawberry.field(description="Why it failed; `In order.` if it passed.")
    mutation: str = strawberry.field(description="The mutation that mends it.")
    settings: list[str] = strawberry.field(
        description="The fields of that mutation's input to look at; may be empty."
    )

    @classmethod
    def of(cls, found: readiness.ReadinessCheck) -> ReadinessCheck:
        return publish(cls, found)


async def readiness_of(
    context: ManagementContext, application: ApplicationFacts
) -> list[ReadinessCheck]:
    """The checks of one of many applications: a constant number of statements for all."""
    facts = ApplicationReadinessFacts(
        tenant=await load_tenant(context.runtime, context.tenant_id),
        application=application,
        number_of_client_grants=await context.loaders.client_grant_count.load(
            application.client_id
        ),
        credentials=await context.loaders.every_credential.load(application.id),
        now=context.runtime.clock.now(),
    )
    return [ReadinessCheck.of(check) for check in check_application(facts)]
