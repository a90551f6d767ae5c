"""Client grants: giving, changing, taking back."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.facts import ClientGrantFacts, SubjectType
from tenantry.core.organizations import OrganizationUsage
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.inputs import CHANGED, SENT, ExistingObject, given, patch
from tenantry.management.mutations.payloads import Payload, deleted_field, object_field
from tenantry.management.mutations.unit import Outcome, run
from tenantry.management.types.client_grant import ABOUT, ClientGrant
from tenantry.management.types.common import described, setting
from tenantry.services import client_grants


@strawberry.input
class _Settings:
    scopes: list[str] | None = setting(ABOUT, "scopes")
    allow_all_scopes: bool | None = setting(ABOUT, "allow_all_scopes")
    organization_usage: OrganizationUsage | None = setting(ABOUT, "organization_usage")
    allow_any_organization: bool | None = setting(ABOUT, "allow_any_organization")
    authorization_details_types: list[str] | None = setting(ABOUT, "authorization_details_types")


@strawberry.input(description="A new client grant.")
class ClientGrantCreateInput(_Settings):
    client_id: str = described(ABOUT, "client_id")
    audience: str = described(ABOUT, "audience")
    subject_type: SubjectType | None = setting(ABOUT, "subject_type")


@strawberry.input(description="Changes of a client grant. The scopes are replaced as a whole.")
class ClientGrantUpdateInput(_Settings, ExistingObject):
    pass


@strawberry.input(description="A client grant to take back.")
class ClientGrantDeleteInput(ExistingObject):
    pass


@strawberry.type(description="The answer to `clientGrantCreate`.")
class ClientGrantCreatePayload(Payload):
    client_grant: ClientGrant | None = object_field("client grant")


@strawberry.type(description="The answer to `clientGrantUpdate`.")
class ClientGrantUpdatePayload(Payload):
    client_grant: ClientGrant | None = object_field("client grant")


@strawberry.type(description="The answer to `clientGrantDelete`.")
class ClientGrantDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("client grant")


def _published(info: Info, outcome: Outcome[ClientGrantFacts]) -> ClientGrant | None:
    return ClientGrant.of(outcome.value, info.context.tenant_id) if outcome.value else None


def _local(info: Info, id: str) -> str:
    return local_id("ClientGrant", info.context.tenant_id, id)


@strawberry.type
class ClientGrantMutations:
    @field(
        "Lets an application ask an API for tokens. With the subject type `CLIENT` it then sends "
        "`grant_type=client_credentials`, its `client_id` and `client_secret`, and the API's "
        "identifier as `audience` to `oauth/token` below the issuer (`viewer.issuer`), as a form; "
        "the `access_token` of the answer goes to the API as `Authorization: Bearer`.",
        "create:client_grants",
    )
    async def client_grant_create(
        self, info: Info, input: Annotated[ClientGrantCreateInput, SENT]
    ) -> ClientGrantCreatePayload | None:
        addresses = info.context.runtime.addresses
        outcome = await run(info, ClientGrantFacts, client_grants.create, addresses, given(input))
        return ClientGrantCreatePayload(
            client_grant=_published(info, outcome), errors=outcome.errors
        )

    @field(
        "Changes the scopes of a client grant.",
        "update:client_grants",
    )
    async def client_grant_update(
        self, info: Info, input: Annotated[ClientGrantUpdateInput, CHANGED]
    ) -> ClientGrantUpdatePayload | None:
        addresses = info.context.runtime.addresses
        command = patch(_local(info, input.id), input)
        outcome = await run(info, ClientGrantFacts, client_grants.update, addresses, command)
        return ClientGrantUpdatePayload(
            client_grant=_published(info, outcome), errors=outcome.errors
        )

    @field(
        "Takes a client grant back. No further token is issued under it.",
        "delete:client_grants",
    )
    async def client_grant_delete(
        self, info: Info, input: Annotated[ClientGrantDeleteInput, SENT]
    ) -> ClientGrantDeletePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, str, client_grants.delete, command)
        return ClientGrantDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )
