"""Log streams as the schema shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import strawberry

from tenantry.core.log_streams import LogStreamFacts, LogStreamFailureFacts, LogStreamStatus
from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import global_id
from tenantry.management.listing import ORDER, listed
from tenantry.management.orders import LogStreamFailureOrder
from tenantry.management.types.common import StoredObject, described, publish
from tenantry.management.types.enums import describe_enum
from tenantry.store import log_stream_failures

describe_enum(
    LogStreamStatus,
    "Whether a log stream is sent events. It keeps its place in the log in each state.",
    {
        LogStreamStatus.ACTIVE: "Events are sent as they happen.",
        LogStreamStatus.PAUSED: "An administrator holds it; what happens meanwhile is sent later.",
        LogStreamStatus.SUSPENDED: (
            "The server holds it, because three batches in succession could not be delivered or "
            "the receiver answered 410. Set it to ACTIVE to go on where it stood."
        ),
    },
)

ABOUT: Mapping[str, str] = {
    "name": "The name for people, one of a kind. 1 to 100 characters.",
    "url": (
        "The https address that batches are sent to by POST. At most 2048 characters; it must "
        "lead to a public address."
    ),
    "event_types": (
        "Only events of these types, at most 50; `user.*` stands for all of a noun. By default "
        "all events."
    ),
    "status": "Whether it is sent events. ACTIVE or PAUSED may be set. Default `ACTIVE`.",
}


@strawberry.type(
    description=(
        "Events that could not be delivered to a log stream within ten attempts. Kept for 30 days."
    )
)
class LogStreamFailure:
    id: strawberry.ID = strawberry.field(
        description="Names the batch in `logStreamFailureRedeliver`. Opaque; never changes."
    )
    message_id: str = strawberry.field(description="The `webhook-id` that it was sent with.")
    event_count: int = strawberry.field(description="How many events it holds.")
    attempts: int = strawberry.field(description="How often it was sent.")
    error: str = strawberry.field(description="Why the last attempt failed.")
    created_at: datetime = strawberry.field(description="When it was given up.")
    redelivery_at: datetime | None = strawberry.field(
        description="Until when it is being sent again; null if nobody has asked for that."
    )

    @classmethod
    def of(cls, facts: LogStreamFailureFacts, tenant_id: str) -> LogStreamFailure:
        id_ = global_id("LogStreamFailure", tenant_id, facts.id)
        return publish(cls, facts, id=id_, message_id=facts.id)


@strawberry.type(
    description=(
        "A webhook that is sent the audit log: batches of at most 100 events, in order, each at "
        "least once, signed as the Standard Webhooks specification says. A batch that fails is "
        "sent again up to ten times, later each time, before those that follow it."
    )
)
class LogStream(StoredObject):
    name: str = described(ABOUT, "name")
    url: str = described(ABOUT, "url")
    event_types: list[str] = described(ABOUT, "event_types")
    status: LogStreamStatus = strawberry.field(description="Whether it is sent events.")
    last_delivered_at: datetime | None = strawberry.field(
        description="When a batch was last delivered; null if none was."
    )
    last_failed_at: datetime | None = strawberry.field(
        description="When an attempt last failed; null if none did."
    )
    last_error: str | None = strawberry.field(
        description="Why that attempt failed; null if none did."
    )
    local_id: strawberry.Private[str]

    @classmethod
    def of(cls, facts: LogStreamFacts, tenant_id: str) -> LogStream:
        id_ = global_id("LogStream", tenant_id, facts.id)
        return publish(cls, facts, id=id_, local_id=facts.id)

    @field("The batches that were given up and not delivered since.", "read:log_streams")
    async def failures(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        order_by: Annotated[LogStreamFailureOrder, ORDER] = LogStreamFailureOrder.CREATED_AT_ASC,
    ) -> ListOf[LogStreamFailure] | None:
        tenant_id = info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            log_stream_failures.page,
            log_stream_failures.count,
            lambda facts: LogStreamFailure.of(facts, tenant_id),
            stream_id=self.local_id,
        )
