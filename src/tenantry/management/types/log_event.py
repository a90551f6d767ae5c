"""The audit log as the schema shows it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry
from strawberry.scalars import JSON

from tenantry.core.facts import LogEventFacts
from tenantry.management.ids import global_id
from tenantry.management.types.common import Node, publish
from tenantry.services.log_events import published_details, published_target


@strawberry.enum(description="Who caused an event.")
class ActorKind(Enum):
    APPLICATION = strawberry.enum_value("application", description="An application for itself.")
    USER = strawberry.enum_value("user", description="A user, through an application.")
    SYSTEM = strawberry.enum_value("system", description="The server itself.")
    ANONYMOUS = strawberry.enum_value("anonymous", description="Somebody who was not signed in.")


@strawberry.type(description="A kind of event.")
class LogEventType:
    name: str = strawberry.field(description="The `type` of its events.")
    description: str = strawberry.field(description="What has happened then.")


@strawberry.type(description="One entry of the audit log. It never changes.")
class LogEvent(Node):
    type: str = strawberry.field(
        description="What happened: a noun and a verb, as in `application.created`."
    )
    created_at: datetime = strawberry.field(description="When it happened.")
    actor_kind: ActorKind = strawberry.field(description="Who caused it.")
    actor_id: str = strawberry.field(
        description="The client id or the user id of who caused it; empty if nobody was signed in."
    )
    actor_tenant_id: str = strawberry.field(
        description="The tenant of who caused it, as in ids; the root's for its operators."
    )
    client_id: str | None = strawberry.field(
        description="The application that the event is about; null if none is."
    )
    user_id: str | None = strawberry.field(
        description="The user that the event is about; null if none is."
    )
    target_type: str | None = strawberry.field(
        description="The type of the object that was changed; null if none was."
    )
    target_id: strawberry.ID | None = strawberry.field(
        description="The id of the object that was changed; null if none was. It may be gone."
    )
    ip: str = strawberry.field(description="The address that the request came from.")
    user_agent: str = strawberry.field(
        description="What the caller's program called itself, cut to 256 characters."
    )
    request_id: str = strawberry.field(
        description="The request, as its answer and the server's own log name it."
    )
    details: JSON = strawberry.field(
        description="More, by type: for changes each field before and after. Never a secret."
    )

    @classmethod
    def of(cls, facts: LogEventFacts, tenant_id: str) -> LogEvent:
        target = published_target(facts, tenant_id)
        return publish(
            cls,
            facts,
            id=global_id("LogEvent", tenant_id, facts.id),
            actor_kind=ActorKind(facts.actor_kind),
            target_id=strawberry.ID(target) if target else None,
            details=published_details(facts.details),
        )
