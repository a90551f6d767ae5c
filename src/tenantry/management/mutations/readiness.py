"""Readiness checks: dismissing them and showing them again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from tenantry.core.readiness import ReadinessDismissalFacts
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.mutations.inputs import SENT, sent
from tenantry.management.mutations.payloads import Payload
from tenantry.management.mutations.unit import run
from tenantry.management.types.readiness import DISMISSAL, ReadinessDismissal
from tenantry.services import readiness

_OF_WHAT = "The application whose check it is. Left out or null, it is a check of the tenant."


@strawberry.input(description="A readiness check that need not be passed.")
class ReadinessCheckDismissInput:
    check: str = strawberry.field(description="Its name, as in `local_callbacks`.")
    reason: str = strawberry.field(description=DISMISSAL["reason"])
    client_id: str | None = strawberry.field(description=_OF_WHAT, default=strawberry.UNSET)
    until: datetime | None = strawberry.field(
        description="When it is shown again, in the future. Left out or null, it stays dismissed.",
        default=strawberry.UNSET,
    )


@strawberry.input(description="A readiness check to be shown again.")
class ReadinessCheckRestoreInput:
    check: str = strawberry.field(description="Its name, as in `local_callbacks`.")
    client_id: str | None = strawberry.field(description=_OF_WHAT, default=strawberry.UNSET)


@strawberry.type(description="The answer to `readinessCheckDismiss`.")
class ReadinessCheckDismissPayload(Payload):
    dismissal: ReadinessDismissal | None = strawberry.field(
        description="The dismissal as it is now; null if nothing was done."
    )


@strawberry.type(description="The answer to `readinessCheckRestore`.")
class ReadinessCheckRestorePayload(Payload):
    check: str | None = strawberry.field(
        description="The name of the check that is shown again; null if nothing was done."
    )


@strawberry.type
class ReadinessMutations:
    @field(
        "Dismisses a readiness check of the tenant or of one application, for a reason: it is "
        "left out of `readinessChecks`. A check that is dismissed already gets the new reason "
        "and the new end.",
        "update:tenant_settings",
    )
    async def readiness_check_dismiss(
        self, info: Info, input: Annotated[ReadinessCheckDismissInput, SENT]
    ) -> ReadinessCheckDismissPayload | None:
        outcome = await run(
            info,
            ReadinessDismissalFacts,
            readiness.dismiss,
            info.context.request.address,
            sent(input.client_id),
            input.check,
            input.reason,
            sent(input.until),
        )
        made = outcome.value
        return ReadinessCheckDismissPayload(
            dismissal=ReadinessDismissal.of(made) if made else None, errors=outcome.errors
        )

    @field("Shows a dismissed readiness check again.", "update:tenant_settings")
    async def readiness_check_restore(
        self, info: Info, input: Annotated[ReadinessCheckRestoreInput, SENT]
    ) -> ReadinessCheckRestorePayload | None:
        outcome = await run(info, str, readiness.restore, sent(input.client_id), input.check)
        return ReadinessCheckRestorePayload(check=outcome.value, errors=outcome.errors)
