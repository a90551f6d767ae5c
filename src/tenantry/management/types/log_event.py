"""The audit log as the schema shows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from strawberry.scalars import JSON
from strawberry.utils.str_converters import to_camel_case

from tenantry.core.facts import LogEventFacts
from tenantry.management.ids import global_id
from tenantry.management.types.common import Node, publish


@strawberry.enum(description="Who caused an event.")
class ActorKind(Enum):
    APPLICATION = strawberry.enum_value("application", description="An application for itself.")
    USER = strawberry.enum_value("user", description="A user, through an application.")
    SYSTEM = strawberry.enum_value("system", description="The server itself.")
    ANONYMOUS = strawberry.enum_value("anonymous", description="Somebody who was not signed in.")


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
        target = None
        if facts.target_type and facts.target_id:
            of_tenant = facts.target_id if facts.target_type == "Tenant" else tenant_id
            target = global_id(facts.target_type, of_tenant, facts.target_id)
        return publish(
            cls,
            facts,
            id=global_id("LogEvent", tenant_id, facts.id),
            actor_kind=ActorKind(facts.actor_kind),
            target_id=target,
            details=_in_words_of_the_schema(facts.details),
        )


# What the audit log keeps no value of, by the names that inputs have for it.
_SECRETS = {"secret_digest": "clientSecret", "password_hash": "password"}


def _in_words_of_the_schema(details: Mapping[str, Any]) -> dict[str, Any]:
    changes = details.get("changes")
    if not isinstance(changes, Mapping):
        return dict(details)
    named = {_SECRETS.get(name) or to_camel_case(name): value for name, value in changes.items()}
    return {**details, "changes": named}
