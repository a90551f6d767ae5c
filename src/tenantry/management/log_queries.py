"""What can be read of the audit log and its streams."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from tenantry.core.errors import DomainError
from tenantry.core.log_event_types import EVENT_TYPES
from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.errors import request_error
from tenantry.management.fields import field
from tenantry.management.filters import LogEventFilter, LogStreamFilter, text
from tenantry.management.ids import local_id
from tenantry.management.listing import ORDER, Id, filter_argument, listed
from tenantry.management.mutations.inputs import sent
from tenantry.management.orders import LogEventOrder, LogStreamOrder
from tenantry.management.types.activity import Activity
from tenantry.management.types.log_event import LogEvent, LogEventType
from tenantry.management.types.log_stream import LogStream
from tenantry.services import activity
from tenantry.store import audit, log_streams


@strawberry.type
class LogQueries:
    @field("An event of the audit log by its id.", "read:logs")
    async def log_event(self, info: Info, id: Id) -> LogEvent | None:
        tenant_id = info.context.tenant_id
        facts = await info.context.read(audit.find, local_id("LogEvent", tenant_id, id))
        return LogEvent.of(facts, tenant_id) if facts else None

    @field(
        "The audit log.",
        "read:logs",
    )
    async def log_events(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[LogEventFilter | None, filter_argument("events")] = None,
        order_by: Annotated[LogEventOrder, ORDER] = LogEventOrder.CREATED_AT_ASC,
    ) -> ListOf[LogEvent] | None:
        chosen, tenant_id = (criteria or LogEventFilter()).facts(), info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            audit.page,
            audit.count,
            lambda facts: LogEvent.of(facts, tenant_id),
            criteria=chosen,
        )

    @field(
        "Users, logins and failures by day, beside the same number of days before. Today is "
        "left out. By default the last 30 days.",
        "read:logs",
    )
    async def activity(
        self,
        info: Info,
        days: Annotated[
            int | None,
            strawberry.argument(description="The last days before today: 1 to 366."),
        ] = None,
        from_: Annotated[
            date | None,
            strawberry.argument(name="from", description="The first day, together with `to`."),
        ] = None,
        to: Annotated[
            date | None,
            strawberry.argument(description="The last day; at most 366 days, today not among."),
        ] = None,
    ) -> Activity | None:
        try:
            facts = await info.context.read(activity.overview, days, from_, to)
        except DomainError as refusal:
            raise request_error("BAD_REQUEST", refusal.message) from None
        return Activity.of(facts)

    @field("Every type that an event can have, with its meaning.", "read:logs")
    async def log_event_types(self, info: Info) -> list[LogEventType] | None:
        return [LogEventType(name=name, description=text) for name, text in EVENT_TYPES.items()]

    @field("The webhooks that are sent the audit log.", "read:log_streams")
    async def log_streams(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[LogStreamFilter | None, filter_argument("log streams")] = None,
        order_by: Annotated[LogStreamOrder, ORDER] = LogStreamOrder.CREATED_AT_ASC,
    ) -> ListOf[LogStream] | None:
        chosen, tenant_id = criteria or LogStreamFilter(), info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            log_streams.page,
            log_streams.count,
            lambda facts: LogStream.of(facts, tenant_id),
            name_contains=text(chosen.name_contains),
            status=sent(chosen.status),
        )
