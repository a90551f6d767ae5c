"""User grants (consents) as the schema shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import strawberry

from tenantry.core.facts import ConsentFacts
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import global_id
from tenantry.management.types.common import StoredObject, described, publish
from tenantry.management.types.resource_server import ResourceServer

if TYPE_CHECKING:
    from tenantry.management.types.application import Application
    from tenantry.management.types.user import User

ABOUT: Mapping[str, str] = {
    "user_id": "The `userId` of who allowed it.",
    "client_id": "The `clientId` of the application that may.",
    "audience": (
        "The identifier of the API; the address of userinfo where the application asked for who "
        "the user is, and for no API."
    ),
    "scopes": "The scopes that were allowed, in the order in which they were.",
}


@strawberry.type(
    description="What a user allowed an application to do at an API, on the consent page."
)
class Grant(StoredObject):
    user_id: str = described(ABOUT, "user_id")
    client_id: str = described(ABOUT, "client_id")
    audience: str = described(ABOUT, "audience")
    scopes: list[str] = described(ABOUT, "scopes")

    @classmethod
    def of(cls, facts: ConsentFacts, tenant_id: str) -> Grant:
        return publish(cls, facts, id=global_id("Grant", tenant_id, facts.id))

    @field(
        "The user who allowed it.",
        "read:users",
    )
    async def user(
        self, info: Info
    ) -> Annotated[User, strawberry.lazy("tenantry.management.types.user")] | None:
        from tenantry.management.types.user import User

        facts = await info.context.loaders.user.load(self.user_id)
        return User.of(facts, info.context.tenant_id) if facts else None

    @field(
        "The application that may.",
        "read:applications",
    )
    async def application(
        self, info: Info
    ) -> Annotated[Application, strawberry.lazy("tenantry.management.types.application")] | None:
        from tenantry.management.types.application import Application

        facts = await info.context.loaders.application.load(self.client_id)
        return Application.of(facts, info.context.tenant_id) if facts else None

    @field(
        "The API; null for userinfo and for an API that is gone.",
        "read:resource_servers",
    )
    async def resource_server(self, info: Info) -> ResourceServer | None:
        facts = await info.context.loaders.resource_server.load(self.audience)
        return ResourceServer.of(facts, info.context.tenant_id) if facts else None
