"""Objects by their global id: which scope a type needs, and how it is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tenantry.core.facts import TenantFacts
from tenantry.core.ids import GlobalId
from tenantry.management.context import Info, ManagementContext
from tenantry.management.ids import local_id, tenant_local_id
from tenantry.management.job_queries import ANY_JOB, find_job
from tenantry.management.permissions import require_scopes
from tenantry.management.types.application import Application
from tenantry.management.types.backchannel_request import BackchannelRequest
from tenantry.management.types.client_grant import ClientGrant
from tenantry.management.types.common import Node
from tenantry.management.types.connection import Connection
from tenantry.management.types.credential import Credential
from tenantry.management.types.custom_domain import CustomDomain
from tenantry.management.types.grant import Grant
from tenantry.management.types.job import Job
from tenantry.management.types.log_event import LogEvent
from tenantry.management.types.log_stream import LogStream
from tenantry.management.types.organization import Organization, OrganizationInvitation
from tenantry.management.types.resource_server import ResourceServer
from tenantry.management.types.role import Role
from tenantry.management.types.session import Session
from tenantry.management.types.signing_key import SigningKey
from tenantry.management.types.tenant import Tenant
from tenantry.management.types.trusted_document import TrustedDocument
from tenantry.management.types.trusted_issuer import TrustedIssuer
from tenantry.management.types.user import User
from tenantry.store import (
    applications,
    audit,
    backchannel_requests,
    client_grants,
    connections,
    consents,
    credentials,
    custom_domains,
    installation,
    log_streams,
    organization_invitations,
    organizations,
    resource_servers,
    roles,
    sessions,
    signing_keys,
    trusted_documents,
    trusted_issuers,
    users,
)


@dataclass(frozen=True, slots=True)
class NodeType:
    """`find` is a store function by local id, `publish` makes the type from its facts."""

    scope: str
    find: Callable[..., Any]
    publish: Callable[[Any, str], Node]


NODE_TYPES = {
    "Application": NodeType("read:applications", applications.find, Application.of),
    "BackchannelRequest": NodeType(
        "read:backchannel_requests", backchannel_requests.find, BackchannelRequest.of
    ),
    "ClientGrant": NodeType("read:client_grants", client_grants.find, ClientGrant.of),
    "Connection": NodeType("read:connections", connections.find, Connection.of),
    "Credential": NodeType("read:credentials", credentials.find, Credential.of),
    "CustomDomain": NodeType("read:custom_domains", custom_domains.find, CustomDomain.of),
    "Grant": NodeType("read:grants", consents.find_by_id, Grant.of),
    "LogEvent": NodeType("read:logs", audit.find, LogEvent.of),
    "LogStream": NodeType("read:log_streams", log_streams.find, LogStream.of),
    "Organization": NodeType("read:organizations", organizations.find, Organization.of),
    "OrganizationInvitation": NodeType(
        "read:organization_invitations", organization_invitations.find, OrganizationInvitation.of
    ),
    "ResourceServer": NodeType("read:resource_servers", resource_servers.find, ResourceServer.of),
    "Session": NodeType("read:sessions", sessions.find, Session.of),
    "Role": NodeType("read:roles", roles.find, Role.of),
    "SigningKey": NodeType("read:signing_keys", signing_keys.find, SigningKey.of),
    "TrustedDocument": NodeType("read:tenant_settings", trusted_documents.find, TrustedDocument.of),
    "TrustedIssuer": NodeType("read:tenant_settings", trusted_issuers.find, TrustedIssuer.of),
    "User": NodeType("read:users", users.find, User.of),
}


async def find_node(info: Info, id: str) -> Node | None:
    """None for an id that is unknown, foreign or malformed. The scope is checked before."""
    context = info.context
    decoded = GlobalId.decode(id)
    if decoded is None:
        return None
    if decoded.type == "Tenant":
        return await _find_tenant(context, id)
    if decoded.type == "Job":
        require_scopes(context, tuple((scope,) for scope in ANY_JOB))
        job = await find_job(context, id)
        return Job.of(job, context.request.address) if job else None
    node_type = NODE_TYPES.get(decoded.type)
    if node_type is None:
        return None
    require_scopes(context, ((node_type.scope,),))
    row_id = local_id(decoded.type, context.tenant_id, id)
    facts = await context.read(node_type.find, row_id)
    return node_type.publish(facts, context.tenant_id) if facts else None


async def _find_tenant(context: ManagementContext, id: str) -> Node | None:
    """The tenant of the address, or at the root any tenant."""
    tenant_id = tenant_local_id(id)
    if context.request.address.is_root and tenant_id != context.tenant_id:
        require_scopes(context, (("read:tenants",),))
    else:
        require_scopes(context, (("read:tenant_settings",),))
        if tenant_id != context.tenant_id:
            return None
    facts: TenantFacts | None = await context.read(installation.find_tenant, tenant_id)
    return Tenant.of(facts, context.runtime.addresses) if facts else None
