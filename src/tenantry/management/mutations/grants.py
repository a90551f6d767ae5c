"""User grants: taking them back."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.inputs import SENT, ExistingObject, patch
from tenantry.management.mutations.payloads import Payload, deleted_field
from tenantry.management.mutations.unit import run
from tenantry.services import consents


@strawberry.input(description="A user grant to take back.")
class GrantDeleteInput(ExistingObject):
    pass


@strawberry.type(description="The answer to `grantDelete`.")
class GrantDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("grant")


@strawberry.type
class GrantMutations:
    @field(
        "Takes back what a user allowed an application at an API. All tokens that the application "
        "has of the user end at once, and the user is asked again.",
        "delete:grants",
    )
    async def grant_delete(
        self, info: Info, input: Annotated[GrantDeleteInput, SENT]
    ) -> GrantDeletePayload | None:
        command = patch(local_id("Grant", info.context.tenant_id, input.id), input)
        outcome = await run(info, str, consents.delete, command)
        return GrantDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )
