"""Client grants as the schema shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import strawberry

from tenantry.core.facts import ClientGrantFacts, SubjectType
from tenantry.core.organizations import OrganizationUsage
from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import global_id
from tenantry.management.orders import OrganizationOrder
from tenantry.management.types.common import StoredObject, described, publish
from tenantry.management.types.organization import Organization
from tenantry.management.types.resource_server import ResourceServer

if TYPE_CHECKING:
    from tenantry.management.types.application import Application

ABOUT: Mapping[str, str] = {
    "client_id": "The `clientId` of the application, not its `id`. Never changes.",
    "audience": (
        "The `identifier` of the API, not its `id`. Never changes. At the root tenant it may be "
        "another tenant's management identifier, or `*` for every management API."
    ),
    "subject_type": (
        "Whether the application speaks for itself or for its users. Never changes. Default "
        "`CLIENT`."
    ),
    "scopes": (
        "The scopes that may be asked for: at most 1000, all defined by the API. Default none: "
        "tokens without scopes."
    ),
    "allow_all_scopes": (
        "Whether every scope of the API may be asked for, also those that are added later. "
        "Default false."
    ),
    "authorization_details_types": (
        "The types of authorization details that may be asked for where the API requires a client "
        "grant: at most 100, all registered for the API, and only with the subject type `USER`. "
        "Default none."
    ),
    "organization_usage": (
        "Whether tokens of client credentials are for an organization, by the parameter "
        "`organization`. Default `DENY`."
    ),
    "allow_any_organization": (
        "Whether that may be any organization of the tenant, not only those of the grant. Default "
        "false."
    ),
}


@strawberry.type(description="What an application may ask of an API.")
class ClientGrant(StoredObject):
    client_id: str = described(ABOUT, "client_id")
    audience: str = described(ABOUT, "audience")
    subject_type: SubjectType = described(ABOUT, "subject_type")
    scopes: list[str] = described(ABOUT, "scopes")
    allow_all_scopes: bool = described(ABOUT, "allow_all_scopes")
    organization_usage: OrganizationUsage = described(ABOUT, "organization_usage")
    allow_any_organization: bool = described(ABOUT, "allow_any_organization")
    authorization_details_types: list[str] = described(ABOUT, "authorization_details_types")
    row_id: strawberry.Private[str]

    @classmethod
    def of(cls, facts: ClientGrantFacts, tenant_id: str) -> ClientGrant:
        id_ = global_id("ClientGrant", tenant_id, facts.id)
        return publish(cls, facts, id=id_, row_id=facts.id)

    @field(
        "The organizations that it may be used for, the oldest first, where it may not be used "
        "for any.",
        "read:organizations",
    )
    async def organizations(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
    ) -> ListOf[Organization] | None:
        asked = PageArguments(OrganizationOrder.CREATED_AT_ASC, first, last, after, before)
        loaders, tenant_id = info.context.loaders, info.context.tenant_id
        page = await loaders.covered_organizations.load((self.row_id, asked.request()))
        return asked.page(
            page,
            lambda facts: Organization.of(facts, tenant_id),
            lambda: loaders.covered_organization_count.load(self.row_id),
        )

    @field(
        "The application that holds the grant.",
        "read:applications",
    )
    async def application(
        self, info: Info
    ) -> Annotated[Application, strawberry.lazy("tenantry.management.types.application")] | None:
        from tenantry.management.types.application import Application

        facts = await info.context.loaders.application.load(self.client_id)
        return Application.of(facts, info.context.tenant_id) if facts else None

    @field(
        "The API; null where the audience is not one of this tenant's, as with `*` at the root.",
        "read:resource_servers",
    )
    async def resource_server(self, info: Info) -> ResourceServer | None:
        facts = await info.context.loaders.resource_server.load(self.audience)
        return ResourceServer.of(facts, info.context.tenant_id) if facts else None
