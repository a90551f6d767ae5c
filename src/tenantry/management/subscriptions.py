"""What can be followed: the audit log, from any place in it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from tenantry.management.context import Info, ManagementContext
from tenantry.management.errors import request_error
from tenantry.management.fields import subscription
from tenantry.management.filters import event_types
from tenantry.management.permissions import require_scopes
from tenantry.management.types.log_event import LogEvent
from tenantry.services.log_feed import TooManyFollow
from tenantry.store.log_positions import Position

_SCOPE = "read:logs"
_CURSOR = "log"
_MAX_CURSOR = 200
_MAX_POSITION = 2**63
AUTHORITY_SECONDS = 10.0
"""How long a subscription lives on, where nothing happens, after its token has ended."""


@strawberry.type(description="An event of the audit log, and the place to go on from after it.")
class LogEventMessage:
    cursor: str = strawberry.field(
        description="Send it as `after` to get all that follows, after whatever interruption."
    )
    event: LogEvent | None = strawberry.field(
        description="The event; null in the first message, whose cursor is where it all began."
    )


@strawberry.type(
    description=(
        "What can be followed, over a WebSocket with the subprotocol `graphql-transport-ws` or "
        "as server-sent events in answer to a POST with `Accept: text/event-stream`."
    )
)
class Subscription:
    @subscription(
        "Events of the audit log as they happen, each once and within a second. It ends when "
        "the token ends or loses the scope.",
        _SCOPE,
    )
    async def log_events(
        self,
        info: Info,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="A cursor of this subscription; by default what happens from now on."
            ),
        ] = None,
        types: Annotated[
            list[str] | None,
            strawberry.argument(
                description=(
                    "Only events of these types, at most 50; `user.*` stands for all of a noun. "
                    "By default all events."
                )
            ),
        ] = None,
    ) -> AsyncGenerator[LogEventMessage | None, None]:
        context = info.context
        feed, tenant_id = context.runtime.feed, context.tenant_id
        begins = await feed.head(tenant_id) if after is None else _position(after)
        return _messages(context, begins, event_types(types or []))


async def _messages(
    context: ManagementContext, begins: Position, types: tuple[str, ...]
) -> AsyncGenerator[LogEventMessage | None, None]:
    tenant_id, actor = context.tenant_id, context.administrator.actor
    caller = f"{actor.kind}/{actor.tenant_id}/{actor.id}"
    following = context.runtime.feed.follow(tenant_id, caller, begins, types, AUTHORITY_SECONDS)
    try:
        yield LogEventMessage(cursor=_cursor(begins), event=None)
        async for placed in following:
            require_scopes(await context.renewed(), ((_SCOPE,),))
            if placed is not None:
                cursor = _cursor((placed.position, placed.event.id))
                yield LogEventMessage(cursor=cursor, event=LogEvent.of(placed.event, tenant_id))
    except TooManyFollow:
        raise request_error(
            "SUBSCRIPTION_LIMIT", "There are too many subscriptions already. Try again later."
        ) from None
    finally:
        await following.aclose()


def _cursor(position: Position) -> str:
    text = json.dumps([_CURSOR, *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(cursor: str) -> Position:
    if len(cursor) <= _MAX_CURSOR and cursor.isascii():
        try:
            text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
            value = json.loads(text)
        except (binascii.Error, ValueError, RecursionError):
            value = None
        match value:
            case [str(kind), int(position), str(id_)] if (
                kind == _CURSOR
                and type(position) is int
                and 0 <= position < _MAX_POSITION
                and id_.isascii()
                and id_.isprintable()
            ):
                return position, id_
    raise request_error("BAD_CURSOR", "`after` is not a cursor of this subscription.")
