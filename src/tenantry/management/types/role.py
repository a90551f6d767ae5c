"""Roles as the schema shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import strawberry

from tenantry.core.facts import RoleFacts
from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import global_id
from tenantry.management.orders import UserOrder
from tenantry.management.types.common import StoredObject, described, publish

if TYPE_CHECKING:
    from tenantry.management.types.user import User

ABOUT: Mapping[str, str] = {
    "name": "The name, once in the tenant: 1 to 100 characters, without < and >.",
    "description": "A note for administrators. At most 300 characters; default empty.",
}
PERMISSION_ABOUT: Mapping[str, str] = {
    "audience": (
        "The identifier of the API. At the root tenant it may be another tenant's management "
        "identifier, or `*` for every management API."
    ),
    "scope": "The scope that is permitted there; `*` is every scope of the API.",
    "scopes": "Scopes of the API: at most 1000.",
}


@strawberry.type(description="A permission: a scope of an API.")
class Permission:
    audience: str = described(PERMISSION_ABOUT, "audience")
    scope: str = described(PERMISSION_ABOUT, "scope")


@strawberry.type(description="A named set of permissions that users are given.")
class Role(StoredObject):
    name: str = described(ABOUT, "name")
    description: str = described(ABOUT, "description")
    row_id: strawberry.Private[str]

    @classmethod
    def of(cls, facts: RoleFacts, tenant_id: str) -> Role:
        return publish(cls, facts, id=global_id("Role", tenant_id, facts.id), row_id=facts.id)

    @field(
        "What it permits, at most 1000 permissions, by audience and scope.",
        "read:roles",
    )
    async def permissions(self, info: Info) -> list[Permission] | None:
        found = await info.context.loaders.role_permissions.load(self.row_id)
        return [Permission(audience=audience, scope=scope) for audience, scope in found]

    @field(
        "The users who have it, the oldest first.",
        "read:users",
    )
    async def users(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
    ) -> ListOf[Annotated[User, strawberry.lazy("tenantry.management.types.user")]] | None:
        from tenantry.management.types.user import User

        asked = PageArguments(UserOrder.CREATED_AT_ASC, first, last, after, before)
        loaders, tenant_id = info.context.loaders, info.context.tenant_id
        page = await loaders.role_users.load((self.row_id, asked.request()))
        return asked.page(
            page,
            lambda facts: User.of(facts, tenant_id),
            lambda: loaders.role_user_count.load(self.row_id),
        )


@strawberry.type(description="A permission of a user, and what gives it.")
class UserPermission:
    audience: str = described(PERMISSION_ABOUT, "audience")
    scope: str = described(PERMISSION_ABOUT, "scope")
    is_direct: bool = strawberry.field(description="Whether the user has it without any role.")
    roles: list[Role] = strawberry.field(description="The user's roles that permit it, by name.")
