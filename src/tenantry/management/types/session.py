"""Sessions as the schema shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from tenantry.core.facts import SessionFacts
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import global_id
from tenantry.management.types.common import Node, described, publish

if TYPE_CHECKING:
    from tenantry.management.types.user import User

ABOUT: Mapping[str, str] = {
    "session_id": "The `sid` of ID tokens and logout tokens.",
    "user_id": "The `userId` of who signed in.",
    "issuer": "The address of the tenant that it began at; it holds there alone.",
    "auth_time": "When the user proved who they are.",
    "amr": "How the user proved it: values of RFC 8176, such as `pwd`.",
    "created_at": "When it began.",
    "last_seen_at": "When the browser last used it; noted at most once a minute.",
    "expires_at": "When it ends unless it is used before.",
    "ended_at": "When it was ended by a logout, a newer sign-in or an administrator; else null.",
}


@strawberry.type(description="A sign-in of a browser, which serves all applications there.")
class Session(Node):
    session_id: str = described(ABOUT, "session_id")
    user_id: str = described(ABOUT, "user_id")
    issuer: str = described(ABOUT, "issuer")
    auth_time: datetime = described(ABOUT, "auth_time")
    amr: list[str] = described(ABOUT, "amr")
    created_at: datetime = described(ABOUT, "created_at")
    last_seen_at: datetime = described(ABOUT, "last_seen_at")
    expires_at: datetime = described(ABOUT, "expires_at")
    ended_at: datetime | None = described(ABOUT, "ended_at")

    @classmethod
    def of(cls, facts: SessionFacts, tenant_id: str) -> Session:
        return publish(
            cls, facts, id=global_id("Session", tenant_id, facts.id), session_id=facts.id
        )

    @field(
        "The user who signed in.",
        "read:users",
    )
    async def user(
        self, info: Info
    ) -> Annotated[User, strawberry.lazy("tenantry.management.types.user")] | None:
        from tenantry.management.types.user import User

        facts = await info.context.loaders.user.load(self.user_id)
        return User.of(facts, info.context.tenant_id) if facts else None

    @field(
        "The `clientId` of each application that took part and has not been told of its end.",
        "read:sessions",
    )
    async def client_ids(self, info: Info) -> list[str] | None:
        return list(await info.context.loaders.session_clients.load(self.session_id))
