"""What can be read of sessions."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.filters import SessionFilterInput
from tenantry.management.listing import ORDER, filter_argument, listed
from tenantry.management.orders import SessionOrder
from tenantry.management.types.session import Session
from tenantry.store import sessions


@strawberry.type
class SessionQueries:
    @field(
        "The sign-ins of browsers: those that last, and those that are over and were not removed "
        "yet.",
        "read:sessions",
    )
    async def sessions(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[SessionFilterInput | None, filter_argument("sessions")] = None,
        order_by: Annotated[SessionOrder, ORDER] = SessionOrder.CREATED_AT_ASC,
    ) -> ListOf[Session] | None:
        chosen, tenant_id = criteria or SessionFilterInput(), info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            sessions.page,
            sessions.count,
            lambda facts: Session.of(facts, tenant_id),
            criteria=chosen.facts(),
        )
