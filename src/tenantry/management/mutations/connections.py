"""Connections: making, changing, removing."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.facts import ConnectionFacts
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.inputs import CHANGED, SENT, ExistingObject, given, patch
from tenantry.management.mutations.payloads import Payload, deleted_field, object_field
from tenantry.management.mutations.unit import Outcome, run
from tenantry.management.types.common import described, setting
from tenantry.management.types.connection import ABOUT, Connection
from tenantry.services import connections


@strawberry.input
class _Settings:
    display_name: str | None = setting(ABOUT, "display_name")
    password_minimum_length: int | None = setting(ABOUT, "password_minimum_length")
    is_domain_connection: bool | None = setting(ABOUT, "is_domain_connection")


@strawberry.input(description="A new connection: users with passwords, kept here.")
class ConnectionCreateInput(_Settings):
    name: str = described(ABOUT, "name")


@strawberry.input(description="Changes of a connection.")
class ConnectionUpdateInput(_Settings, ExistingObject):
    pass


@strawberry.input(description="A connection to delete.")
class ConnectionDeleteInput(ExistingObject):
    pass


@strawberry.type(description="The answer to `connectionCreate`.")
class ConnectionCreatePayload(Payload):
    connection: Connection | None = object_field("connection")


@strawberry.type(description="The answer to `connectionUpdate`.")
class ConnectionUpdatePayload(Payload):
    connection: Connection | None = object_field("connection")


@strawberry.type(description="The answer to `connectionDelete`.")
class ConnectionDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("connection")


def _published(info: Info, outcome: Outcome[ConnectionFacts]) -> Connection | None:
    return Connection.of(outcome.value, info.context.tenant_id) if outcome.value else None


def _local(info: Info, id: str) -> str:
    return local_id("Connection", info.context.tenant_id, id)


@strawberry.type
class ConnectionMutations:
    @field(
        "Makes a connection. Applications use it once they name it.",
        "create:connections",
    )
    async def connection_create(
        self, info: Info, input: Annotated[ConnectionCreateInput, SENT]
    ) -> ConnectionCreatePayload | None:
        outcome = await run(info, ConnectionFacts, connections.create, given(input))
        return ConnectionCreatePayload(connection=_published(info, outcome), errors=outcome.errors)

    @field(
        "Changes the settings of a connection.",
        "update:connections",
    )
    async def connection_update(
        self, info: Info, input: Annotated[ConnectionUpdateInput, CHANGED]
    ) -> ConnectionUpdatePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, ConnectionFacts, connections.update, command)
        return ConnectionUpdatePayload(connection=_published(info, outcome), errors=outcome.errors)

    @field(
        "Deletes a connection that has no users.",
        "delete:connections",
    )
    async def connection_delete(
        self, info: Info, input: Annotated[ConnectionDeleteInput, SENT]
    ) -> ConnectionDeletePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, str, connections.delete, command)
        return ConnectionDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )
