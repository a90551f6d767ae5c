"""Applications: registering, changing, removing, and their secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import strawberry

from tenantry.core.facts import (
    ApplicationType,
)
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.application_settings import ApplicationSettings
from tenantry.management.mutations.credentials import (
    ClientAuthenticationMethodsInput,
    NewClientAuthenticationMethodsInput,
    NewSignedRequestObjectInput,
    SignedRequestObjectInput,
    enabled,
    first_keys,
)
from tenantry.management.mutations.inputs import (
    CHANGED,
    SENT,
    ExistingObject,
    given,
    names,
    patch,
    sent,
)
from tenantry.management.mutations.payloads import Payload, deleted_field, object_field
from tenantry.management.mutations.unit import Outcome, run
from tenantry.management.permissions import (
    input_field_scopes,
    require_input_scopes,
)
from tenantry.management.types.application import Application
from tenantry.management.types.application_settings import ABOUT
from tenantry.management.types.common import described, setting
from tenantry.services import applications, sectors
from tenantry.services.applications import ApplicationWithSecret
from tenantry.services.commands import ApplicationPatch, NewApplication

APART = ("client_secret", "connections", "client_authentication_methods", "signed_request_object")


@strawberry.input(description="A new application.")
class ApplicationCreateInput(ApplicationSettings):
    name: str = described(ABOUT, "name")
    application_type: ApplicationType = described(ABOUT, "application_type")
    client_secret: str | None = setting(ABOUT, "client_secret")
    client_authentication_methods: NewClientAuthenticationMethodsInput | None = setting(
        ABOUT, "client_authentication_methods", directives=input_field_scopes("create:credentials")
    )
    signed_request_object: NewSignedRequestObjectInput | None = setting(
        ABOUT, "signed_request_object", directives=input_field_scopes("create:credentials")
    )


@strawberry.input(description="Changes of an application. Lists are replaced as a whole.")
class ApplicationUpdateInput(ApplicationSettings, ExistingObject):
    client_secret: str | None = setting(
        ABOUT, "client_secret", directives=input_field_scopes("update:application_keys")
    )
    client_authentication_methods: ClientAuthenticationMethodsInput | None = setting(
        ABOUT, "client_authentication_methods", directives=input_field_scopes("update:credentials")
    )
    signed_request_object: SignedRequestObjectInput | None = setting(
        ABOUT, "signed_request_object", directives=input_field_scopes("update:credentials")
    )


@strawberry.input(description="An application to delete.")
class ApplicationDeleteInput(ExistingObject):
    pass


@strawberry.input(description="An application that gets a new secret.")
class ApplicationSecretRotateInput(ExistingObject):
    pass


_SECRET_ABOUT = (
    "The secret that was made just now, shown this once; null if none was made or you sent it."
)


@strawberry.type(description="The answer to `applicationCreate`.")
class ApplicationCreatePayload(Payload):
    application: Application | None = object_field("application")
    client_secret: str | None = strawberry.field(description=_SECRET_ABOUT)


@strawberry.type(description="The answer to `applicationUpdate`.")
class ApplicationUpdatePayload(Payload):
    application: Application | None = object_field("application")
    client_secret: str | None = strawberry.field(
        description=f"{_SECRET_ABOUT} A public application that becomes confidential gets one."
    )


@strawberry.type(description="The answer to `applicationDelete`.")
class ApplicationDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("application")


@strawberry.type(description="The answer to `applicationSecretRotate`.")
class ApplicationSecretRotatePayload(Payload):
    application: Application | None = object_field("application")
    client_secret: str | None = strawberry.field(description=_SECRET_ABOUT)


def _application(info: Info, outcome: Outcome[ApplicationWithSecret]) -> Application | None:
    done = outcome.value
    return Application.of(done.application, info.context.tenant_id) if done else None


def _secret(outcome: Outcome[ApplicationWithSecret]) -> str | None:
    return outcome.value.client_secret if outcome.value else None


def _local(info: Info, id: str) -> str:
    return local_id("Application", info.context.tenant_id, id)


@strawberry.type
class ApplicationMutations:
    @field(
        "Registers an application. A confidential one gets a secret, shown once. For a machine "
        "that calls an API take the type `MACHINE_TO_MACHINE`, and go on with "
        "`clientGrantCreate`.",
        "create:applications",
    )
    async def application_create(
        self, info: Info, input: Annotated[ApplicationCreateInput, SENT]
    ) -> ApplicationCreatePayload | None:
        context = info.context
        require_input_scopes(context, input)
        settings, keys = first_keys(input)
        values = {**given(input, *APART), **settings}
        command = NewApplication(
            values,
            sent(input.client_secret),
            names(input.connections),
            await sectors.fetch_for_new(context.runtime, context.tenant_id, values),
            keys,
        )
        outcome = await run(info, ApplicationWithSecret, applications.create, command)
        return ApplicationCreatePayload(
            application=_application(info, outcome),
            client_secret=_secret(outcome),
            errors=outcome.errors,
        )

    @field(
        "Changes the settings of an application.",
        "update:applications",
    )
    async def application_update(
        self, info: Info, input: Annotated[ApplicationUpdateInput, CHANGED]
    ) -> ApplicationUpdatePayload | None:
        context = info.context
        require_input_scopes(context, input)
        changes = patch(_local(info, input.id), input, *APART)
        changes = replace(changes, values={**changes.values, **enabled(input, context.tenant_id)})
        command = ApplicationPatch(
            changes,
            sent(input.client_secret),
            names(input.connections),
            await sectors.fetch_for_change(
                context.runtime, context.tenant_id, context.caller, changes.id, changes.values
            ),
        )
        outcome = await run(info, ApplicationWithSecret, applications.update, command)
        return ApplicationUpdatePayload(
            application=_application(info, outcome),
            client_secret=_secret(outcome),
            errors=outcome.errors,
        )

    @field(
        "Deletes an application with its grants; its use ends at once.",
        "delete:applications",
    )
    async def application_delete(
        self, info: Info, input: Annotated[ApplicationDeleteInput, SENT]
    ) -> ApplicationDeletePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, str, applications.delete, command)
        return ApplicationDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )

    @field(
        "Makes a new client secret, shown once. The old one ends at once.",
        "update:application_keys",
    )
    async def application_secret_rotate(
        self, info: Info, input: Annotated[ApplicationSecretRotateInput, SENT]
    ) -> ApplicationSecretRotatePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, ApplicationWithSecret, applications.rotate_secret, command)
        return ApplicationSecretRotatePayload(
            application=_application(info, outcome),
            client_secret=_secret(outcome),
            errors=outcome.errors,
        )
