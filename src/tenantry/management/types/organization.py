"""Organizations, their members and invitations as the schema shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.scalars import JSON

from tenantry.core.organizations import (
    OrganizationFacts,
    OrganizationInvitationFacts,
    OrganizationMemberFacts,
)
from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import global_id
from tenantry.management.orders import OrganizationInvitationOrder, OrganizationMemberOrder
from tenantry.management.types.common import Node, StoredObject, described, publish
from tenantry.management.types.connection import Connection
from tenantry.management.types.role import Role

if TYPE_CHECKING:
    from tenantry.management.types.user import User

ABOUT: Mapping[str, str] = {
    "organization_id": "The `org_id` of tokens, and what requests name it by. Never changes.",
    "name": (
        "The name in addresses, once in the tenant: 1 to 50 lower-case letters, digits, hyphens "
        "and underscores, a letter or a digit first, and not `org_` at its beginning."
    ),
    "display_name": (
        "The name that people see, by default the other one. At most 255 characters, without < "
        "and >; default empty."
    ),
    "logo_uri": "A picture for its login page, https by custom. Default null: the tenant's.",
    "organization_metadata": (
        "A JSON object of texts: at most ten pairs, keys and values of at most 255 characters. A "
        "change replaces the keys that are sent and removes those that are null. Default empty."
    ),
    "connection": "The name of a connection of the tenant.",
    "assign_membership_on_login": (
        "Whether its users become members when they first sign in to the organization at the login "
        "page. Default false: only who is a member or was invited may sign in."
    ),
}
INVITATION_ABOUT: Mapping[str, str] = {
    "organization_id": "The `organizationId` of the organization.",
    "client_id": (
        "The `clientId` of the application where the sign-in begins: it has an `initiateLoginUri` "
        "and takes organizations."
    ),
    "inviter_name": "Who invites: 1 to 300 characters, without < and >.",
    "invitee_email": (
        "Who is invited: only a user with this email address can accept, whatever its case."
    ),
    "role_ids": "The roles that the member will have within the organization: at most 50.",
    "lifetime": (
        "For how long the invitation is good, in seconds: 60 to 2592000. Default 604800, seven "
        "days."
    ),
    "created_at": "When it was made.",
    "expires_at": "When it stops being good. Some time after that it is removed.",
    "accepted_at": "When it was accepted; null while nobody has.",
}
MEMBER_ABOUT: Mapping[str, str] = {
    "user_id": "The user's `userId`.",
    "user_ids": "The `userId`s of the users: at most 100 at a time.",
    "created_at": "When the user became a member.",
}


@strawberry.type(description="A connection whose users may sign in to an organization.")
class EnabledConnection:
    connection: Connection = strawberry.field(description="The connection.")
    assign_membership_on_login: bool = described(ABOUT, "assign_membership_on_login")


@strawberry.type(description="A user who belongs to an organization.")
class OrganizationMember:
    user_id: str = described(MEMBER_ABOUT, "user_id")
    created_at: datetime = described(MEMBER_ABOUT, "created_at")
    row_id: strawberry.Private[str]

    @classmethod
    def of(cls, facts: OrganizationMemberFacts) -> OrganizationMember:
        return publish(cls, facts, row_id=facts.id)

    @field(
        "The user.",
        "read:users",
    )
    async def user(
        self, info: Info
    ) -> Annotated[User, strawberry.lazy("tenantry.management.types.user")] | None:
        from tenantry.management.types.user import User

        facts = await info.context.loaders.user.load(self.user_id)
        return User.of(facts, info.context.tenant_id) if facts else None

    @field(
        "The roles within the organization, at most 50, by name; they count for its tokens alone.",
        "read:roles",
    )
    async def roles(self, info: Info) -> list[Role] | None:
        found = await info.context.loaders.member_roles.load(self.row_id)
        return [Role.of(facts, info.context.tenant_id) for facts in found]


@strawberry.type(description="An invitation to become a member of an organization.")
class OrganizationInvitation(Node):
    organization_id: str = described(INVITATION_ABOUT, "organization_id")
    client_id: str = described(INVITATION_ABOUT, "client_id")
    inviter_name: str = described(INVITATION_ABOUT, "inviter_name")
    invitee_email: str = described(INVITATION_ABOUT, "invitee_email")
    created_at: datetime = described(INVITATION_ABOUT, "created_at")
    expires_at: datetime = described(INVITATION_ABOUT, "expires_at")
    accepted_at: datetime | None = described(INVITATION_ABOUT, "accepted_at")
    granted: strawberry.Private[tuple[str, ...]]
    invitee: strawberry.Private[str | None]

    @classmethod
    def of(cls, facts: OrganizationInvitationFacts, tenant_id: str) -> OrganizationInvitation:
        return publish(
            cls,
            facts,
            id=global_id("OrganizationInvitation", tenant_id, facts.id),
            granted=facts.role_ids,
            invitee=facts.accepted_by,
        )

    @field(
        "The organization.",
        "read:organizations",
    )
    async def organization(
        self, info: Info
    ) -> Annotated[Organization, strawberry.lazy("tenantry.management.types.organization")] | None:
        facts = await info.context.loaders.organization.load(self.organization_id)
        return Organization.of(facts, info.context.tenant_id) if facts else None

    @field(
        "The roles that the member gets within the organization, but for those that are gone.",
        "read:roles",
    )
    async def roles(self, info: Info) -> list[Role] | None:
        found = await info.context.loaders.role.load_many(self.granted)
        return [Role.of(facts, info.context.tenant_id) for facts in found if facts]

    @field(
        "Who accepted it; null while nobody has, or where the user is gone.",
        "read:users",
    )
    async def accepted_by(
        self, info: Info
    ) -> Annotated[User, strawberry.lazy("tenantry.management.types.user")] | None:
        from tenantry.management.types.user import User

        facts = await info.context.loaders.user.load(self.invitee) if self.invitee else None
        return User.of(facts, info.context.tenant_id) if facts else None


@strawberry.type(
    description="A group of users, such as a business customer, that applications sign in to."
)
class Organization(StoredObject):
    organization_id: str = described(ABOUT, "organization_id")
    name: str = described(ABOUT, "name")
    display_name: str = described(ABOUT, "display_name")
    logo_uri: str | None = described(ABOUT, "logo_uri")
    organization_metadata: JSON = described(ABOUT, "organization_metadata")

    @classmethod
    def of(cls, facts: OrganizationFacts, tenant_id: str) -> Organization:
        id_ = global_id("Organization", tenant_id, facts.id)
        return publish(cls, facts, id=id_, organization_id=facts.id)

    @field(
        "The connections whose users may sign in to it, at most 50, the oldest first. Without any "
        "nobody can.",
        "read:connections",
    )
    async def connections(self, info: Info) -> list[EnabledConnection] | None:
        loaders, tenant_id = info.context.loaders, info.context.tenant_id
        enabled = await loaders.organization_connections.load(self.organization_id)
        found = await loaders.connection.load_many([each.connection_id for each in enabled])
        return [
            EnabledConnection(
                connection=Connection.of(facts, tenant_id),
                assign_membership_on_login=each.assign_membership_on_login,
            )
            for each, facts in zip(enabled, found, strict=True)
            if facts
        ]

    @field(
        "Its members, the oldest first.",
        "read:organization_members",
    )
    async def members(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
    ) -> ListOf[OrganizationMember] | None:
        asked = PageArguments(OrganizationMemberOrder.CREATED_AT_ASC, first, last, after, before)
        loaders = info.context.loaders
        page = await loaders.organization_members.load((self.organization_id, asked.request()))
        return asked.page(
            page,
            OrganizationMember.of,
            lambda: loaders.organization_member_count.load(self.organization_id),
        )

    @field(
        "Its invitations, the oldest first: those that are good, and those that were accepted or "
        "have expired and were not removed yet.",
        "read:organization_invitations",
    )
    async def invitations(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
    ) -> ListOf[OrganizationInvitation] | None:
        order = OrganizationInvitationOrder.CREATED_AT_ASC
        asked = PageArguments(order, first, last, after, before)
        loaders, tenant_id = info.context.loaders, info.context.tenant_id
        page = await loaders.organization_invitations.load((self.organization_id, asked.request()))
        return asked.page(
            page,
            lambda facts: OrganizationInvitation.of(facts, tenant_id),
            lambda: loaders.organization_invitation_count.load(self.organization_id),
        )
