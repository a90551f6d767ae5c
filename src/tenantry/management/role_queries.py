"""What can be read of roles, and of the claims that users would get."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.filters import RoleFilter, text
from tenantry.management.ids import local_id
from tenantry.management.listing import ORDER, Id, filter_argument, listed
from tenantry.management.orders import RoleOrder
from tenantry.management.types.claims_preview import ClaimsPreview
from tenantry.management.types.role import Role
from tenantry.services.claims_preview import PreviewRequest, preview
from tenantry.store import roles


@strawberry.type
class RoleQueries:
    @field(
        "A role by its id.",
        "read:roles",
    )
    async def role(self, info: Info, id: Id) -> Role | None:
        context = info.context
        facts = await context.read(roles.find, local_id("Role", context.tenant_id, id))
        return Role.of(facts, context.tenant_id) if facts else None

    @field(
        "The roles.",
        "read:roles",
    )
    async def roles(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[RoleFilter | None, filter_argument("roles")] = None,
        order_by: Annotated[RoleOrder, ORDER] = RoleOrder.CREATED_AT_ASC,
    ) -> ListOf[Role] | None:
        chosen, tenant_id = criteria or RoleFilter(), info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            roles.page,
            roles.count,
            lambda facts: Role.of(facts, tenant_id),
            name_contains=text(chosen.name_contains),
        )

    @field(
        "What the tokens of a user would say now; nothing is issued. Null where the user or the "
        "application is not known.",
        ("read:users", "read:applications"),
    )
    async def claims_preview(
        self,
        info: Info,
        user_id: Annotated[str, strawberry.argument(description="The user's `userId`.")],
        client_id: Annotated[
            str, strawberry.argument(description="The `clientId` of the application that asks.")
        ],
        scopes: Annotated[
            list[str], strawberry.argument(description="The scopes that it asks for.")
        ],
        audience: Annotated[
            str | None,
            strawberry.argument(
                description=(
                    "The identifier of the API; several with spaces between, where the tenant "
                    "allows that. By default the tenant's own, or none."
                )
            ),
        ] = None,
    ) -> ClaimsPreview | None:
        context = info.context
        asked = PreviewRequest(user_id, client_id, audience, tuple(dict.fromkeys(scopes)))
        found = await context.read(
            preview, context.runtime.addresses, context.request.address, asked
        )
        return ClaimsPreview.of(found) if found else None
