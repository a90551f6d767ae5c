"""What can be read of requests to people at another device."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.backchannel import BackchannelRequestState
from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.listing import ORDER, filter_argument, listed
from tenantry.management.mutations.inputs import sent
from tenantry.management.orders import BackchannelRequestOrder
from tenantry.management.types.backchannel_request import BackchannelRequest
from tenantry.store import backchannel_requests
from tenantry.store.backchannel_requests import BackchannelRequestFilter


@strawberry.input(description="Narrows a list of requests to users; what is left out is all.")
class BackchannelRequestFilterInput:
    user_id: str | None = strawberry.field(
        description="Only those to the user with this `userId`.", default=strawberry.UNSET
    )
    client_id: str | None = strawberry.field(
        description="Only those of the application with this `clientId`.",
        default=strawberry.UNSET,
    )
    state: BackchannelRequestState | None = strawberry.field(
        description="Only those that have come so far.", default=strawberry.UNSET
    )

    def facts(self) -> BackchannelRequestFilter:
        return BackchannelRequestFilter(sent(self.user_id), sent(self.client_id), sent(self.state))


@strawberry.type
class BackchannelQueries:
    @field(
        "What applications ask users by CIBA, until it is removed after its end.",
        "read:backchannel_requests",
    )
    async def backchannel_requests(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[
            BackchannelRequestFilterInput | None, filter_argument("requests")
        ] = None,
        order_by: Annotated[
            BackchannelRequestOrder, ORDER
        ] = BackchannelRequestOrder.CREATED_AT_ASC,
    ) -> ListOf[BackchannelRequest] | None:
        chosen = criteria or BackchannelRequestFilterInput()
        tenant_id = info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            backchannel_requests.page,
            backchannel_requests.count,
            lambda facts: BackchannelRequest.of(facts, tenant_id),
            criteria=chosen.facts(),
        )
