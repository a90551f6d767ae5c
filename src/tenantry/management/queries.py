"""What can be read. Each field names its scopes, makes one call and publishes the facts."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.management.backchannel_queries import BackchannelQueries
from tenantry.management.compliance_queries import ComplianceQueries
from tenantry.management.configuration_queries import ConfigurationQueries
from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.custom_domain_queries import CustomDomainQueries
from tenantry.management.explanation_queries import ExplanationQueries
from tenantry.management.fields import field
from tenantry.management.filters import (
    ApplicationFilter,
    ClientGrantFilterInput,
    ConnectionFilter,
    ResourceServerFilter,
    TenantFilter,
    UserFilterInput,
    text,
)
from tenantry.management.grant_queries import GrantQueries
from tenantry.management.job_queries import JobQueries
from tenantry.management.listing import ORDER, Id, filter_argument, listed
from tenantry.management.log_queries import LogQueries
from tenantry.management.mutations.inputs import sent
from tenantry.management.node_queries import NodeQueries
from tenantry.management.nodes import find_node
from tenantry.management.orders import (
    ApplicationOrder,
    ClientGrantOrder,
    ConnectionOrder,
    ResourceServerOrder,
    TenantOrder,
    UserOrder,
)
from tenantry.management.organization_queries import OrganizationQueries
from tenantry.management.readiness_queries import ReadinessQueries
from tenantry.management.role_queries import RoleQueries
from tenantry.management.session_queries import SessionQueries
from tenantry.management.trusted_document_queries import TrustedDocumentQueries
from tenantry.management.trusted_issuer_queries import TrustedIssuerQueries
from tenantry.management.types.application import Application
from tenantry.management.types.client_grant import ClientGrant
from tenantry.management.types.common import Node
from tenantry.management.types.connection import Connection
from tenantry.management.types.resource_server import ResourceServer
from tenantry.management.types.signing_key import SigningKey
from tenantry.management.types.tenant import Tenant
from tenantry.management.types.user import User
from tenantry.management.types.viewer import Viewer, viewer_of
from tenantry.services import signing_keys
from tenantry.services.management_access import load_tenant
from tenantry.store import (
    applications,
    client_grants,
    connections,
    installation,
    resource_servers,
    users,
)


@strawberry.type(description="What can be read at the tenant of this address.")
class Query(
    ConfigurationQueries,
    CustomDomainQueries,
    ExplanationQueries,
    JobQueries,
    LogQueries,
    ComplianceQueries,
    ReadinessQueries,
    GrantQueries,
    NodeQueries,
    OrganizationQueries,
    RoleQueries,
    SessionQueries,
    BackchannelQueries,
    TrustedDocumentQueries,
    TrustedIssuerQueries,
):
    @field("Where you are, who you are there, and what you may do: a query to begin with.")
    async def viewer(self, info: Info) -> Viewer:
        return viewer_of(info)

    @field(
        "Any object by its id; null if there is none in this tenant. It needs the read scope "
        "of the object's type."
    )
    async def node(self, info: Info, id: Id) -> Node | None:
        return await find_node(info, id)

    @field(
        "The tenant of this address, with its settings.",
        "read:tenant_settings",
    )
    async def tenant(self, info: Info) -> Tenant | None:
        facts = await load_tenant(info.context.runtime, info.context.tenant_id)
        return Tenant.of(facts, info.context.runtime.addresses)

    @field(
        "All tenants of the installation. Only at the root's own address.",
        "read:tenants",
    )
    async def tenants(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[TenantFilter | None, filter_argument("tenants")] = None,
        order_by: Annotated[TenantOrder, ORDER] = TenantOrder.CREATED_AT_ASC,
    ) -> ListOf[Tenant] | None:
        chosen, addresses = criteria or TenantFilter(), info.context.runtime.addresses
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            installation.tenant_page,
            installation.tenant_count,
            lambda facts: Tenant.of(facts, addresses),
            name_contains=text(chosen.name_contains),
            environment=sent(chosen.environment),
        )

    @field(
        "An application by its client id.",
        "read:applications",
    )
    async def application(
        self,
        info: Info,
        client_id: Annotated[str, strawberry.argument(description="Its `clientId`.")],
    ) -> Application | None:
        facts = await info.context.read(applications.find_by_client_id, client_id)
        return Application.of(facts, info.context.tenant_id) if facts else None

    @field(
        "The applications.",
        "read:applications",
    )
    async def applications(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[ApplicationFilter | None, filter_argument("applications")] = None,
        order_by: Annotated[ApplicationOrder, ORDER] = ApplicationOrder.CREATED_AT_ASC,
    ) -> ListOf[Application] | None:
        chosen, tenant_id = criteria or ApplicationFilter(), info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            applications.page,
            applications.count,
            lambda facts: Application.of(facts, tenant_id),
            criteria=chosen.criteria(),
        )

    @field(
        "An API by its identifier.",
        "read:resource_servers",
    )
    async def resource_server(
        self,
        info: Info,
        identifier: Annotated[str, strawberry.argument(description="Its `identifier`.")],
    ) -> ResourceServer | None:
        facts = await info.context.read(resource_servers.find_by_identifier, identifier)
        return ResourceServer.of(facts, info.context.tenant_id) if facts else None

    @field(
        "The APIs, the management API among them.",
        "read:resource_servers",
    )
    async def resource_servers(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[ResourceServerFilter | None, filter_argument("APIs")] = None,
        order_by: Annotated[ResourceServerOrder, ORDER] = ResourceServerOrder.CREATED_AT_ASC,
    ) -> ListOf[ResourceServer] | None:
        chosen, tenant_id = criteria or ResourceServerFilter(), info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            resource_servers.page,
            resource_servers.count,
            lambda facts: ResourceServer.of(facts, tenant_id),
            name_contains=text(chosen.name_contains),
        )

    @field(
        "What applications may ask of APIs.",
        "read:client_grants",
    )
    async def client_grants(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[ClientGrantFilterInput | None, filter_argument("client grants")] = None,
        order_by: Annotated[ClientGrantOrder, ORDER] = ClientGrantOrder.CREATED_AT_ASC,
    ) -> ListOf[ClientGrant] | None:
        chosen, tenant_id = criteria or ClientGrantFilterInput(), info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            client_grants.page,
            client_grants.count,
            lambda facts: ClientGrant.of(facts, tenant_id),
            criteria=chosen.facts(),
        )

    @field(
        "The sources of users.",
        "read:connections",
    )
    async def connections(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[ConnectionFilter | None, filter_argument("connections")] = None,
        order_by: Annotated[ConnectionOrder, ORDER] = ConnectionOrder.CREATED_AT_ASC,
    ) -> ListOf[Connection] | None:
        chosen, tenant_id = criteria or ConnectionFilter(), info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            connections.page,
            connections.count,
            lambda facts: Connection.of(facts, tenant_id),
            name_contains=text(chosen.name_contains),
        )

    @field(
        "A user by the `sub` of tokens.",
        "read:users",
    )
    async def user(
        self,
        info: Info,
        user_id: Annotated[str, strawberry.argument(description="The user's `userId`.")],
    ) -> User | None:
        facts = await info.context.read(users.find, user_id)
        return User.of(facts, info.context.tenant_id) if facts else None

    @field(
        "The users.",
        "read:users",
    )
    async def users(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[UserFilterInput | None, filter_argument("users")] = None,
        order_by: Annotated[UserOrder, ORDER] = UserOrder.CREATED_AT_ASC,
    ) -> ListOf[User] | None:
        chosen, tenant_id = criteria or UserFilterInput(), info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            users.page,
            users.count,
            lambda facts: User.of(facts, tenant_id),
            criteria=chosen.facts(),
        )

    @field(
        "The live signing keys and the last three that were revoked.",
        "read:signing_keys",
    )
    async def signing_keys(self, info: Info) -> list[SigningKey] | None:
        found = await info.context.read(signing_keys.listed)
        return [SigningKey.of(facts, info.context.tenant_id) for facts in found]
