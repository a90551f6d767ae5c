"""Members of organizations: who they are, what they may do, who is invited."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.organizations import OrganizationFacts, OrganizationMemberFacts
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.inputs import SENT, ExistingObject, given, patch, sent
from tenantry.management.mutations.payloads import Payload, deleted_field, object_field
from tenantry.management.mutations.unit import Outcome, run
from tenantry.management.permissions import input_field_scopes, require_input_scopes
from tenantry.management.types.common import described, setting
from tenantry.management.types.organization import (
    INVITATION_ABOUT,
    MEMBER_ABOUT,
    Organization,
    OrganizationInvitation,
    OrganizationMember,
)
from tenantry.services import organization_invitations, organization_members
from tenantry.services.commands import Patch
from tenantry.services.organization_invitations import NewInvitation

ASSIGNS = ("update:roles", "update:organization_members")
"""Who gives roles could give them to himself: it takes more than changing members."""


@strawberry.input
class _Users(ExistingObject):
    user_ids: list[str] = described(MEMBER_ABOUT, "user_ids")


@strawberry.input(description="Users that become members of an organization.")
class OrganizationMembersAddInput(_Users):
    pass


@strawberry.input(description="Users that are to be members no more.")
class OrganizationMembersRemoveInput(_Users):
    pass


@strawberry.input
class _Roles(ExistingObject):
    user_id: str = described(MEMBER_ABOUT, "user_id")
    role_ids: list[strawberry.ID] = strawberry.field(
        description="The ids of the roles. A member has at most 50."
    )


@strawberry.input(description="Roles that a member gets within an organization.")
class OrganizationMemberRolesAddInput(_Roles):
    pass


@strawberry.input(description="Roles that a member loses within an organization.")
class OrganizationMemberRolesRemoveInput(_Roles):
    pass


@strawberry.input(description="A new invitation.")
class OrganizationInvitationCreateInput:
    organization_id: str = described(INVITATION_ABOUT, "organization_id")
    client_id: str = described(INVITATION_ABOUT, "client_id")
    inviter_name: str = described(INVITATION_ABOUT, "inviter_name")
    invitee_email: str = described(INVITATION_ABOUT, "invitee_email")
    role_ids: list[strawberry.ID] | None = setting(
        INVITATION_ABOUT, "role_ids", directives=input_field_scopes("update:roles")
    )
    lifetime: int | None = setting(INVITATION_ABOUT, "lifetime")


@strawberry.input(description="An invitation to take back.")
class OrganizationInvitationDeleteInput:
    id: strawberry.ID = strawberry.field(description="The id of the invitation.")


@strawberry.type(description="The answer to `organizationMembersAdd`.")
class OrganizationMembersAddPayload(Payload):
    organization: Organization | None = object_field("organization")


@strawberry.type(description="The answer to `organizationMembersRemove`.")
class OrganizationMembersRemovePayload(Payload):
    organization: Organization | None = object_field("organization")


@strawberry.type(description="The answer to `organizationMemberRolesAdd`.")
class OrganizationMemberRolesAddPayload(Payload):
    organization_member: OrganizationMember | None = object_field("member")


@strawberry.type(description="The answer to `organizationMemberRolesRemove`.")
class OrganizationMemberRolesRemovePayload(Payload):
    organization_member: OrganizationMember | None = object_field("member")


@strawberry.type(description="The answer to `organizationInvitationCreate`.")
class OrganizationInvitationCreatePayload(Payload):
    organization_invitation: OrganizationInvitation | None = object_field("invitation")
    invitation_url: str | None = strawberry.field(
        description=(
            "The link for the invited person, shown this once: it begins the sign-in at the "
            "application, which sends `invitation` and `organization` on to `/authorize`."
        )
    )


@strawberry.type(description="The answer to `organizationInvitationDelete`.")
class OrganizationInvitationDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("invitation")


def _patch(info: Info, input: ExistingObject) -> Patch:
    id_ = local_id("Organization", info.context.tenant_id, input.id)
    return patch(id_, input, "user_id", "user_ids", "role_ids")


def _roles(info: Info, ids: list[strawberry.ID]) -> tuple[str, ...]:
    found = (local_id("Role", info.context.tenant_id, id) for id in ids)
    return tuple(dict.fromkeys(found))


def _organization(info: Info, outcome: Outcome[OrganizationFacts]) -> Organization | None:
    return Organization.of(outcome.value, info.context.tenant_id) if outcome.value else None


def _member(outcome: Outcome[OrganizationMemberFacts]) -> OrganizationMember | None:
    return OrganizationMember.of(outcome.value) if outcome.value else None


@strawberry.type
class OrganizationMemberMutations:
    @field(
        "Makes users members of an organization.",
        "create:organization_members",
    )
    async def organization_members_add(
        self, info: Info, input: Annotated[OrganizationMembersAddInput, SENT]
    ) -> OrganizationMembersAddPayload | None:
        command, ids = _patch(info, input), tuple(dict.fromkeys(input.user_ids))
        outcome = await run(info, OrganizationFacts, organization_members.add, command, ids)
        return OrganizationMembersAddPayload(
            organization=_organization(info, outcome), errors=outcome.errors
        )

    @field(
        "Takes users out of an organization, with their roles there. They get no further token "
        "for it.",
        "delete:organization_members",
    )
    async def organization_members_remove(
        self, info: Info, input: Annotated[OrganizationMembersRemoveInput, SENT]
    ) -> OrganizationMembersRemovePayload | None:
        command, ids = _patch(info, input), tuple(dict.fromkeys(input.user_ids))
        outcome = await run(info, OrganizationFacts, organization_members.remove, command, ids)
        return OrganizationMembersRemovePayload(
            organization=_organization(info, outcome), errors=outcome.errors
        )

    @field(
        "Gives roles to a member, which count for tokens of the organization alone.",
        ASSIGNS,
    )
    async def organization_member_roles_add(
        self, info: Info, input: Annotated[OrganizationMemberRolesAddInput, SENT]
    ) -> OrganizationMemberRolesAddPayload | None:
        outcome = await run(
            info, OrganizationMemberFacts, organization_members.give_roles,
            _patch(info, input), input.user_id, _roles(info, input.role_ids),
        )  # fmt: skip
        return OrganizationMemberRolesAddPayload(
            organization_member=_member(outcome), errors=outcome.errors
        )

    @field(
        "Takes roles from a member; what they permit ends at once.",
        ASSIGNS,
    )
    async def organization_member_roles_remove(
        self, info: Info, input: Annotated[OrganizationMemberRolesRemoveInput, SENT]
    ) -> OrganizationMemberRolesRemovePayload | None:
        outcome = await run(
            info, OrganizationMemberFacts, organization_members.take_roles,
            _patch(info, input), input.user_id, _roles(info, input.role_ids),
        )  # fmt: skip
        return OrganizationMemberRolesRemovePayload(
            organization_member=_member(outcome), errors=outcome.errors
        )

    @field(
        "Invites somebody to an organization. You deliver the link that the answer carries.",
        "create:organization_invitations",
    )
    async def organization_invitation_create(
        self, info: Info, input: Annotated[OrganizationInvitationCreateInput, SENT]
    ) -> OrganizationInvitationCreatePayload | None:
        context = info.context
        require_input_scopes(context, input)
        values = given(input, "role_ids")
        values["role_ids"] = _roles(info, sent(input.role_ids) or [])
        issuer = context.request.address.issuer
        outcome = await run(info, NewInvitation, organization_invitations.create, issuer, values)
        made = outcome.value
        return OrganizationInvitationCreatePayload(
            organization_invitation=OrganizationInvitation.of(made.invitation, context.tenant_id)
            if made
            else None,
            invitation_url=made.invitation_url if made else None,
            errors=outcome.errors,
        )

    @field(
        "Takes an invitation back. Who has accepted it stays a member.",
        "delete:organization_invitations",
    )
    async def organization_invitation_delete(
        self, info: Info, input: Annotated[OrganizationInvitationDeleteInput, SENT]
    ) -> OrganizationInvitationDeletePayload | None:
        id_ = local_id("OrganizationInvitation", info.context.tenant_id, input.id)
        outcome = await run(info, str, organization_invitations.delete, id_)
        return OrganizationInvitationDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )
