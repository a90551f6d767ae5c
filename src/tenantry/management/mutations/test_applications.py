"""Test applications: from an API to a token that works, in one operation."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.mutations.inputs import SENT
from tenantry.management.mutations.payloads import Payload, object_field
from tenantry.management.mutations.unit import run
from tenantry.management.types.application import Application
from tenantry.management.types.client_grant import ClientGrant
from tenantry.services import test_applications
from tenantry.services.test_applications import TestApplication


@strawberry.input(description="Which API the test application is for.")
class TestApplicationCreateInput:
    audience: str = strawberry.field(description="The `identifier` of the API, not its `id`.")


@strawberry.type(description="The answer to `testApplicationCreate`.")
class TestApplicationCreatePayload(Payload):
    application: Application | None = object_field("application")
    client_grant: ClientGrant | None = object_field("client grant")
    client_secret: str | None = strawberry.field(
        description="The secret of the application, shown this once; null if nothing was done."
    )


@strawberry.type
class TestApplicationMutations:
    @field(
        "Registers a machine-to-machine application and gives it every scope of one API, to try "
        "the API with: `applicationCreate` and `clientGrantCreate` in one.",
        ("create:applications", "create:client_grants"),
    )
    async def test_application_create(
        self, info: Info, input: Annotated[TestApplicationCreateInput, SENT]
    ) -> TestApplicationCreatePayload | None:
        addresses = info.context.runtime.addresses
        outcome = await run(
            info, TestApplication, test_applications.create, addresses, input.audience
        )
        made, tenant_id = outcome.value, info.context.tenant_id
        return TestApplicationCreatePayload(
            application=Application.of(made.application, tenant_id) if made else None,
            client_grant=ClientGrant.of(made.client_grant, tenant_id) if made else None,
            client_secret=made.client_secret if made else None,
            errors=outcome.errors,
        )
