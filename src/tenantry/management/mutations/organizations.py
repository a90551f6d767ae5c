"""Organizations: making and changing them, and the connections that sign in to them."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from tenantry.core.facts import ClientGrantFacts
from tenantry.core.organizations import OrganizationFacts
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.inputs import CHANGED, SENT, ExistingObject, given, patch, sent
from tenantry.management.mutations.payloads import Payload, deleted_field, object_field
from tenantry.management.mutations.unit import Outcome, run
from tenantry.management.types.client_grant import ClientGrant
from tenantry.management.types.common import described, setting
from tenantry.management.types.organization import ABOUT, Organization
from tenantry.services import organizations
from tenantry.services.commands import Patch


@strawberry.input
class _Settings:
    name: str | None = setting(ABOUT, "name")
    display_name: str | None = setting(ABOUT, "display_name")
    logo_uri: str | None = setting(ABOUT, "logo_uri")
    organization_metadata: JSON | None = setting(ABOUT, "organization_metadata")


@strawberry.input(description="A new organization.")
class OrganizationCreateInput(_Settings):
    name: str = described(ABOUT, "name")


@strawberry.input(description="Changes of an organization.")
class OrganizationUpdateInput(_Settings, ExistingObject):
    pass


@strawberry.input(description="An organization to delete.")
class OrganizationDeleteInput(ExistingObject):
    pass


@strawberry.input(description="A connection whose users may sign in to an organization.")
class OrganizationConnectionSetInput(ExistingObject):
    connection: str = described(ABOUT, "connection")
    assign_membership_on_login: bool | None = setting(ABOUT, "assign_membership_on_login")


@strawberry.input(description="A connection whose users are not to sign in any more.")
class OrganizationConnectionRemoveInput(ExistingObject):
    connection: str = described(ABOUT, "connection")


@strawberry.input
class _Covered(ExistingObject):
    organization_ids: list[str] = strawberry.field(
        description="The `organizationId`s of the organizations: at most 100 at a time."
    )


@strawberry.input(description="Organizations that a client grant may be used for.")
class ClientGrantOrganizationsAddInput(_Covered):
    pass


@strawberry.input(description="Organizations that a client grant is not to be used for any more.")
class ClientGrantOrganizationsRemoveInput(_Covered):
    pass


@strawberry.type(description="The answer to `organizationCreate`.")
class OrganizationCreatePayload(Payload):
    organization: Organization | None = object_field("organization")


@strawberry.type(description="The answer to `organizationUpdate`.")
class OrganizationUpdatePayload(Payload):
    organization: Organization | None = object_field("organization")


@strawberry.type(description="The answer to `organizationDelete`.")
class OrganizationDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("organization")


@strawberry.type(description="The answer to `organizationConnectionSet`.")
class OrganizationConnectionSetPayload(Payload):
    organization: Organization | None = object_field("organization")


@strawberry.type(description="The answer to `organizationConnectionRemove`.")
class OrganizationConnectionRemovePayload(Payload):
    organization: Organization | None = object_field("organization")


@strawberry.type(description="The answer to `clientGrantOrganizationsAdd`.")
class ClientGrantOrganizationsAddPayload(Payload):
    client_grant: ClientGrant | None = object_field("client grant")


@strawberry.type(description="The answer to `clientGrantOrganizationsRemove`.")
class ClientGrantOrganizationsRemovePayload(Payload):
    client_grant: ClientGrant | None = object_field("client grant")


def _published(info: Info, outcome: Outcome[OrganizationFacts]) -> Organization | None:
    return Organization.of(outcome.value, info.context.tenant_id) if outcome.value else None


def _grant(info: Info, outcome: Outcome[ClientGrantFacts]) -> ClientGrant | None:
    return ClientGrant.of(outcome.value, info.context.tenant_id) if outcome.value else None


def _patch(info: Info, input: ExistingObject, *besides: str) -> Patch:
    return patch(local_id("Organization", info.context.tenant_id, input.id), input, *besides)


def _grant_patch(info: Info, input: ExistingObject) -> Patch:
    id_ = local_id("ClientGrant", info.context.tenant_id, input.id)
    return patch(id_, input, "organization_ids")


_APART = ("connection", "assign_membership_on_login")


@strawberry.type
class OrganizationMutations:
    @field(
        "Makes an organization. Nobody can sign in to it before a connection is set.",
        "create:organizations",
    )
    async def organization_create(
        self, info: Info, input: Annotated[OrganizationCreateInput, SENT]
    ) -> OrganizationCreatePayload | None:
        outcome = await run(info, OrganizationFacts, organizations.create, given(input))
        return OrganizationCreatePayload(
            organization=_published(info, outcome), errors=outcome.errors
        )

    @field(
        "Changes the settings of an organization.",
        "update:organizations",
    )
    async def organization_update(
        self, info: Info, input: Annotated[OrganizationUpdateInput, CHANGED]
    ) -> OrganizationUpdatePayload | None:
        command = _patch(info, input)
        outcome = await run(info, OrganizationFacts, organizations.update, command)
        return OrganizationUpdatePayload(
            organization=_published(info, outcome), errors=outcome.errors
        )

    @field(
        "Deletes an organization with its members and invitations. The users themselves stay.",
        "delete:organizations",
    )
    async def organization_delete(
        self, info: Info, input: Annotated[OrganizationDeleteInput, SENT]
    ) -> OrganizationDeletePayload | None:
        outcome = await run(info, str, organizations.delete, _patch(info, input))
        return OrganizationDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )

    @field(
        "Lets the users of a connection sign in to an organization, or changes how they do.",
        "update:organizations",
    )
    async def organization_connection_set(
        self, info: Info, input: Annotated[OrganizationConnectionSetInput, SENT]
    ) -> OrganizationConnectionSetPayload | None:
        outcome = await run(
            info,
            OrganizationFacts,
            organizations.set_connection,
            _patch(info, input, *_APART),
            input.connection,
            assign_membership_on_login=bool(sent(input.assign_membership_on_login)),
        )
        return OrganizationConnectionSetPayload(
            organization=_published(info, outcome), errors=outcome.errors
        )

    @field(
        "Keeps the users of a connection from signing in to an organization; they stay members.",
        "update:organizations",
    )
    async def organization_connection_remove(
        self, info: Info, input: Annotated[OrganizationConnectionRemoveInput, SENT]
    ) -> OrganizationConnectionRemovePayload | None:
        outcome = await run(
            info,
            OrganizationFacts,
            organizations.remove_connection,
            _patch(info, input, *_APART),
            input.connection,
        )
        return OrganizationConnectionRemovePayload(
            organization=_published(info, outcome), errors=outcome.errors
        )

    @field(
        "Lets an application ask for tokens for organizations under a client grant.",
        "update:client_grants",
    )
    async def client_grant_organizations_add(
        self, info: Info, input: Annotated[ClientGrantOrganizationsAddInput, SENT]
    ) -> ClientGrantOrganizationsAddPayload | None:
        command, ids = _grant_patch(info, input), tuple(dict.fromkeys(input.organization_ids))
        outcome = await run(info, ClientGrantFacts, organizations.cover, command, ids)
        return ClientGrantOrganizationsAddPayload(
            client_grant=_grant(info, outcome), errors=outcome.errors
        )

    @field(
        "Takes organizations from a client grant. No further token is issued for them under it.",
        "update:client_grants",
    )
    async def client_grant_organizations_remove(
        self, info: Info, input: Annotated[ClientGrantOrganizationsRemoveInput, SENT]
    ) -> ClientGrantOrganizationsRemovePayload | None:
        command, ids = _grant_patch(info, input), tuple(dict.fromkeys(input.organization_ids))
        outcome = await run(info, ClientGrantFacts, organizations.uncover, command, ids)
        return ClientGrantOrganizationsRemovePayload(
            client_grant=_grant(info, outcome), errors=outcome.errors
        )
