"""What can be read of custom domains."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.filters import CustomDomainFilter, text
from tenantry.management.listing import ORDER, filter_argument, listed
from tenantry.management.mutations.inputs import sent
from tenantry.management.orders import CustomDomainOrder
from tenantry.management.types.custom_domain import CustomDomain
from tenantry.store import custom_domains


@strawberry.type
class CustomDomainQueries:
    @field("The tenant's custom domains.", "read:custom_domains")
    async def custom_domains(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[CustomDomainFilter | None, filter_argument("custom domains")] = None,
        order_by: Annotated[CustomDomainOrder, ORDER] = CustomDomainOrder.CREATED_AT_ASC,
    ) -> ListOf[CustomDomain] | None:
        chosen, tenant_id = criteria or CustomDomainFilter(), info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            custom_domains.page,
            custom_domains.count,
            lambda facts: CustomDomain.of(facts, tenant_id),
            domain_contains=text(chosen.domain_contains),
            status=sent(chosen.status),
        )
