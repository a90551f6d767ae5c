"""Sessions: ending them."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.facts import SessionFacts
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.inputs import SENT
from tenantry.management.mutations.payloads import Payload, object_field
from tenantry.management.mutations.unit import run
from tenantry.management.types.session import Session
from tenantry.services import sessions


@strawberry.input(description="A session to end.")
class SessionRevokeInput:
    id: strawberry.ID = strawberry.field(description="The id of the session.")


@strawberry.input(description="A user who is signed out everywhere.")
class UserSessionsRevokeInput:
    user_id: str = strawberry.field(description="The user's `userId`.")


@strawberry.type(description="The answer to `sessionRevoke`.")
class SessionRevokePayload(Payload):
    session: Session | None = object_field("session")


@strawberry.type(description="The answer to `userSessionsRevoke`.")
class UserSessionsRevokePayload(Payload):
    revoked_count: int | None = strawberry.field(
        description="How many sessions were ended; null if nothing was done."
    )


@strawberry.type
class SessionMutations:
    @field(
        "Ends a session at once and tells the applications that took part in it. Tokens that they "
        "have live on. A session that is over stays as it is.",
        "delete:sessions",
    )
    async def session_revoke(
        self, info: Info, input: Annotated[SessionRevokeInput, SENT]
    ) -> SessionRevokePayload | None:
        tenant_id = info.context.tenant_id
        id_ = local_id("Session", tenant_id, input.id)
        outcome = await run(info, SessionFacts, sessions.revoke, id_)
        session = Session.of(outcome.value, tenant_id) if outcome.value else None
        return SessionRevokePayload(session=session, errors=outcome.errors)

    @field(
        "Ends every session of a user, as `sessionRevoke` does for one.",
        "delete:sessions",
    )
    async def user_sessions_revoke(
        self, info: Info, input: Annotated[UserSessionsRevokeInput, SENT]
    ) -> UserSessionsRevokePayload | None:
        outcome = await run(info, int, sessions.revoke_for_user, input.user_id)
        return UserSessionsRevokePayload(revoked_count=outcome.value, errors=outcome.errors)
