"""Many objects at once, by their global ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, cast

import strawberry
from graphql import GraphQLError

from tenantry.core.ids import GlobalId
from tenantry.management.context import Info, ManagementContext
from tenantry.management.cost import MAX_IDS
from tenantry.management.errors import request_error
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.nodes import NODE_TYPES, find_node
from tenantry.management.permissions import require_scopes
from tenantry.management.types.common import Node
from tenantry.store import objects

IDS = strawberry.argument(description=f"The ids of the objects, at most {MAX_IDS}.")


@strawberry.type
class NodeQueries:
    @field(
        "Objects by their ids, in the order of the ids; null for an id that names none in this "
        "tenant. Each needs the read scope of its type; without it, it is null, with an error."
    )
    async def nodes(
        self, info: Info, ids: Annotated[list[strawberry.ID], IDS]
    ) -> list[Node | None]:
        if len(ids) > MAX_IDS:
            raise request_error("BAD_REQUEST", f"`ids` has at most {MAX_IDS} entries.")
        by_type: dict[str, list[str]] = {}
        for id in dict.fromkeys(ids):
            decoded = GlobalId.decode(id)
            by_type.setdefault(decoded.type if decoded else "", []).append(id)
        found: dict[str, Node | GraphQLError | None] = {}
        for type_, named in by_type.items():
            if type_ in objects.TYPES:
                found |= await _find_alike(info.context, type_, named)
            else:
                found |= {id: await _find_one(info, id) for id in named}
        # An error in a list takes its own place in the answer.
        return [cast("Node | None", found[id]) for id in ids]


async def _find_alike(
    context: ManagementContext, type_: str, ids: Sequence[str]
) -> dict[str, Node | GraphQLError | None]:
    node_type = NODE_TYPES[type_]
    try:
        require_scopes(context, ((node_type.scope,),))
    except GraphQLError as refusal:
        return dict.fromkeys(ids, refusal)
    own = {id: local_id(type_, context.tenant_id, id) for id in ids}
    facts = await context.read(objects.find_many, type_, list(own.values()))
    return {
        id: node_type.publish(facts[local], context.tenant_id) if local in facts else None
        for id, local in own.items()
    }


async def _find_one(info: Info, id: str) -> Node | GraphQLError | None:
    try:
        return await find_node(info, id)
    except GraphQLError as refusal:
        return refusal
