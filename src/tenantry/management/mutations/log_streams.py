"""Log streams: making, changing, removing them; sending again what was given up."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.log_streams import LogStreamFacts, LogStreamFailureFacts, LogStreamStatus
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.inputs import CHANGED, SENT, ExistingObject, given, patch
from tenantry.management.mutations.payloads import Payload, deleted_field, object_field
from tenantry.management.mutations.unit import run
from tenantry.management.types.common import described, setting
from tenantry.management.types.log_stream import ABOUT, LogStream, LogStreamFailure
from tenantry.services import log_streams
from tenantry.services.log_streams import MadeLogStream

_SECRET_ABOUT = (
    "What the batches are signed with, in the form of Standard Webhooks: `whsec_` and base64. "
    "Shown now and never again; null if nothing was done."
)


@strawberry.input(description="A new log stream. It is sent what happens from now on.")
class LogStreamCreateInput:
    name: str = described(ABOUT, "name")
    url: str = described(ABOUT, "url")
    event_types: list[str] | None = setting(ABOUT, "event_types")
    status: LogStreamStatus | None = setting(ABOUT, "status")


@strawberry.input(description="Changes of a log stream. Lists are replaced as a whole.")
class LogStreamUpdateInput(ExistingObject):
    name: str | None = setting(ABOUT, "name")
    url: str | None = setting(ABOUT, "url")
    event_types: list[str] | None = setting(ABOUT, "event_types")
    status: LogStreamStatus | None = setting(ABOUT, "status")


@strawberry.input(description="A log stream to remove, with its failed batches.")
class LogStreamDeleteInput(ExistingObject):
    pass


@strawberry.input(description="A log stream that gets a new secret.")
class LogStreamSecretRotateInput(ExistingObject):
    pass


@strawberry.input(description="A batch to send again.")
class LogStreamFailureRedeliverInput:
    id: strawberry.ID = strawberry.field(description="The id of the failed batch.")


@strawberry.type(description="The answer to `logStreamCreate`.")
class LogStreamCreatePayload(Payload):
    log_stream: LogStream | None = object_field("log stream")
    secret: str | None = strawberry.field(description=_SECRET_ABOUT)


@strawberry.type(description="The answer to `logStreamUpdate`.")
class LogStreamUpdatePayload(Payload):
    log_stream: LogStream | None = object_field("log stream")


@strawberry.type(description="The answer to `logStreamDelete`.")
class LogStreamDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("log stream")


@strawberry.type(description="The answer to `logStreamSecretRotate`.")
class LogStreamSecretRotatePayload(Payload):
    log_stream: LogStream | None = object_field("log stream")
    secret: str | None = strawberry.field(description=_SECRET_ABOUT)


@strawberry.type(description="The answer to `logStreamFailureRedeliver`.")
class LogStreamFailureRedeliverPayload(Payload):
    log_stream_failure: LogStreamFailure | None = object_field("failed batch")


def _local(info: Info, id: str) -> str:
    return local_id("LogStream", info.context.tenant_id, id)


@strawberry.type
class LogStreamMutations:
    @field("Makes a log stream.", "create:log_streams")
    async def log_stream_create(
        self, info: Info, input: Annotated[LogStreamCreateInput, SENT]
    ) -> LogStreamCreatePayload | None:
        outcome = await run(info, MadeLogStream, log_streams.create, given(input))
        made, tenant_id = outcome.value, info.context.tenant_id
        return LogStreamCreatePayload(
            log_stream=LogStream.of(made.log_stream, tenant_id) if made else None,
            secret=made.secret if made else None,
            errors=outcome.errors,
        )

    @field("Changes a log stream, and tries at once what waits for it.", "update:log_streams")
    async def log_stream_update(
        self, info: Info, input: Annotated[LogStreamUpdateInput, CHANGED]
    ) -> LogStreamUpdatePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, LogStreamFacts, log_streams.update, command)
        stream = LogStream.of(outcome.value, info.context.tenant_id) if outcome.value else None
        return LogStreamUpdatePayload(log_stream=stream, errors=outcome.errors)

    @field("Removes a log stream. What waits for it is not sent.", "delete:log_streams")
    async def log_stream_delete(
        self, info: Info, input: Annotated[LogStreamDeleteInput, SENT]
    ) -> LogStreamDeletePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, str, log_streams.delete, command)
        return LogStreamDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )

    @field("Signs the batches with a new secret from now on.", "update:log_streams")
    async def log_stream_secret_rotate(
        self, info: Info, input: Annotated[LogStreamSecretRotateInput, SENT]
    ) -> LogStreamSecretRotatePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, MadeLogStream, log_streams.rotate_secret, command)
        made, tenant_id = outcome.value, info.context.tenant_id
        return LogStreamSecretRotatePayload(
            log_stream=LogStream.of(made.log_stream, tenant_id) if made else None,
            secret=made.secret if made else None,
            errors=outcome.errors,
        )

    @field(
        "Sends a batch again that was given up, apart from the order of the stream and with the "
        "same `webhook-id`. It leaves the list once it is delivered.",
        "update:log_streams",
    )
    async def log_stream_failure_redeliver(
        self, info: Info, input: Annotated[LogStreamFailureRedeliverInput, SENT]
    ) -> LogStreamFailureRedeliverPayload | None:
        tenant_id = info.context.tenant_id
        failure_id = local_id("LogStreamFailure", tenant_id, input.id)
        outcome = await run(info, LogStreamFailureFacts, log_streams.redeliver, failure_id)
        found = LogStreamFailure.of(outcome.value, tenant_id) if outcome.value else None
        return LogStreamFailureRedeliverPayload(log_stream_failure=found, errors=outcome.errors)
