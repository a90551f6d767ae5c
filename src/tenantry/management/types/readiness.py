"""Readiness checks as the schema shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import strawberry

from tenantry.core.facts import ApplicationFacts
from tenantry.core.readiness import ReadinessDismissalFacts
from tenantry.management.context import ManagementContext
from tenantry.management.types.common import described, publish
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


DISMISSAL: Mapping[str, str] = {
    "reason": "Why the check need not be passed. From 1 to 500 characters.",
    "dismissed_by": "The client id or user id of who dismissed it.",
    "dismissed_at": "When it was dismissed.",
    "until": "When it is shown again; null if it stays dismissed.",
}


@strawberry.type(description="That a readiness check need not be passed, and who says so.")
class ReadinessDismissal:
    reason: str = described(DISMISSAL, "reason")
    dismissed_by: str = described(DISMISSAL, "dismissed_by")
    dismissed_at: datetime = described(DISMISSAL, "dismissed_at")
    until: datetime | None = described(DISMISSAL, "until")

    @classmethod
    def of(cls, facts: ReadinessDismissalFacts) -> ReadinessDismissal:
        return publish(cls, facts, until=facts.expires_at)


PASSED = strawberry.argument(description="Only those that passed, or failed. By default both.")
DISMISSED = strawberry.argument(
    description="Only those that are dismissed, or are not. Null shows both."
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
    client_id: str | None = strawberry.field(
        description="The application whose check it is; null for a check of the tenant."
    )
    reason: str = strawberry.field(description="Why it failed; `In order.` if it passed.")
    mutation: str = strawberry.field(description="The mutation that mends it.")
    settings: list[str] = strawberry.field(
        description="The fields of that mutation's input to look at; may be empty."
    )

    dismissal: ReadinessDismissal | None = strawberry.field(
        description="Who dismissed it and why; null if it counts."
    )


def shown(
    checks: Iterable[readiness.ReadinessCheck],
    dismissals: Iterable[ReadinessDismissalFacts],
    passed: bool | None,
    dismissed: bool | None,
    client_id: str | None = None,
) -> list[ReadinessCheck]:
    """The checks that were asked for, each with its dismissal."""
    by_name = {one.check_name: ReadinessDismissal.of(one) for one in dismissals}
    return [
        publish(ReadinessCheck, check, client_id=client_id, dismissal=by_name.get(check.check))
        for check in checks
        if passed in {None, check.passed} and dismissed in {None, check.check in by_name}
    ]


async def readiness_of(
    context: ManagementContext,
    application: ApplicationFacts,
    passed: bool | None,
    dismissed: bool | None,
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
    dismissals = await context.loaders.readiness_dismissals.load(application.id)
    checks = check_application(facts)
    return shown(checks, dismissals, passed, dismissed, application.client_id)
