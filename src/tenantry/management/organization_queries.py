"""What can be read of organizations."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.filters import text
from tenantry.management.listing import ORDER, filter_argument, listed
from tenantry.management.orders import OrganizationOrder
from tenantry.management.types.common import setting
from tenantry.management.types.organization import Organization
from tenantry.store import organizations

_ABOUT = {"name_contains": "Only those whose name contains this text; case is ignored."}


@strawberry.input(
    description=(
        "Narrows a list of organizations. All that is given must hold; texts have at most 600 "
        "characters."
    )
)
class OrganizationFilter:
    name_contains: str | None = setting(_ABOUT, "name_contains")


@strawberry.type
class OrganizationQueries:
    @field(
        "An organization by the `org_id` of tokens.",
        "read:organizations",
    )
    async def organization(
        self,
        info: Info,
        organization_id: Annotated[
            str, strawberry.argument(description="The organization's `organizationId`.")
        ],
    ) -> Organization | None:
        facts = await info.context.read(organizations.find, organization_id)
        return Organization.of(facts, info.context.tenant_id) if facts else None

    @field(
        "The organizations.",
        "read:organizations",
    )
    async def organizations(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[OrganizationFilter | None, filter_argument("organizations")] = None,
        order_by: Annotated[OrganizationOrder, ORDER] = OrganizationOrder.CREATED_AT_ASC,
    ) -> ListOf[Organization] | None:
        chosen, tenant_id = criteria or OrganizationFilter(), info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            organizations.page,
            organizations.count,
            lambda facts: Organization.of(facts, tenant_id),
            name_contains=text(chosen.name_contains),
        )
