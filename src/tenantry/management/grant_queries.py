"""What can be read of user grants."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.filters import GrantFilterInput
from tenantry.management.listing import ORDER, filter_argument, listed
from tenantry.management.orders import GrantOrder
from tenantry.management.types.grant import Grant
from tenantry.store import consents


@strawberry.type
class GrantQueries:
    @field(
        "What users allowed applications. An application of the tenant's own that asks nobody has "
        "none.",
        "read:grants",
    )
    async def grants(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[GrantFilterInput | None, filter_argument("grants")] = None,
        order_by: Annotated[GrantOrder, ORDER] = GrantOrder.CREATED_AT_ASC,
    ) -> ListOf[Grant] | None:
        chosen, tenant_id = criteria or GrantFilterInput(), info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            consents.page,
            consents.count,
            lambda facts: Grant.of(facts, tenant_id),
            criteria=chosen.facts(),
        )
