"""Who asks."""

from __future__ import annotations

import strawberry

from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import global_id
from tenantry.management.types.log_event import ActorKind
from tenantry.management.types.tenant import Tenant
from tenantry.services.management_access import load_tenant


@strawberry.type(description="The caller, as the access token and today's grants describe it.")
class Viewer:
    kind: ActorKind = strawberry.field(description="An application or a user.")
    id: strawberry.ID = strawberry.field(
        description=(
            "Names the caller and never changes. For a user it is the id of that `User` in the "
            "caller's own tenant."
        )
    )
    name: str = strawberry.field(description="The application's name, or the user's email.")
    client_id: str = strawberry.field(description="The application that got the token.")
    user_id: str | None = strawberry.field(description="The user's `sub`; null for applications.")
    scopes: list[str] = strawberry.field(
        description="What the caller may do now: the token's scopes that are still granted."
    )
    is_operator: bool = strawberry.field(
        description="Whether the root tenant issued the token: an operator of the installation."
    )
    tenant_name: str = strawberry.field(description="The name of the tenant of this address.")
    issuer: str = strawberry.field(
        description=(
            "The issuer of this address. Applications get their tokens at `oauth/token` below it."
        )
    )

    @field(
        "The tenant of this address: the one that is administered.",
        "read:tenant_settings",
    )
    async def tenant(self, info: Info) -> Tenant | None:
        context = info.context
        facts = await load_tenant(context.runtime, context.tenant_id)
        return Tenant.of(facts, context.runtime.addresses)


def viewer_of(info: Info) -> Viewer:
    asked_by, address = info.context.administrator, info.context.request.address
    actor = asked_by.actor
    is_user = actor.kind == "user"
    type_name, row_id = ("User", actor.id) if is_user else ("Application", asked_by.application.id)
    return Viewer(
        kind=ActorKind(actor.kind),
        id=global_id(type_name, actor.tenant_id, row_id),
        name=actor.name,
        client_id=asked_by.client_id,
        user_id=actor.id if is_user else None,
        scopes=sorted(asked_by.scopes),
        is_operator=asked_by.by_root,
        tenant_name=address.name,
        issuer=address.issuer,
    )
