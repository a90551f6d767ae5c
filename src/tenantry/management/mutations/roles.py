"""Roles: making and changing them, what they permit, and who has them."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from tenantry.core.facts import RoleFacts, UserFacts
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.inputs import CHANGED, SENT, ExistingObject, given, patch
from tenantry.management.mutations.payloads import Payload, deleted_field, object_field
from tenantry.management.mutations.unit import Outcome, run
from tenantry.management.types.common import described, setting
from tenantry.management.types.role import ABOUT, PERMISSION_ABOUT, Role
from tenantry.management.types.user import User
from tenantry.services import roles
from tenantry.services.commands import Permissions

ASSIGNS = ("update:roles", "update:users")
"""Who gives permissions could give them to himself: it takes more than changing users."""


@strawberry.input
class _Settings:
    name: str | None = setting(ABOUT, "name")
    description: str | None = setting(ABOUT, "description")


@strawberry.input(description="A new role.")
class RoleCreateInput(_Settings):
    name: str = described(ABOUT, "name")


@strawberry.input(description="Changes of a role.")
class RoleUpdateInput(_Settings, ExistingObject):
    pass


@strawberry.input(description="A role to delete.")
class RoleDeleteInput(ExistingObject):
    pass


@strawberry.input
class _Permissions(ExistingObject):
    audience: str = described(PERMISSION_ABOUT, "audience")
    scopes: list[str] = described(PERMISSION_ABOUT, "scopes")


@strawberry.input(description="Permissions that a role gets.")
class RolePermissionsAddInput(_Permissions):
    pass


@strawberry.input(description="Permissions that a role loses.")
class RolePermissionsRemoveInput(_Permissions):
    pass


@strawberry.input(description="Permissions that a user gets without a role.")
class UserPermissionsAddInput(_Permissions):
    pass


@strawberry.input(description="Direct permissions that a user loses.")
class UserPermissionsRemoveInput(_Permissions):
    pass


@strawberry.input
class _Roles(ExistingObject):
    role_ids: list[strawberry.ID] = strawberry.field(
        description="The ids of the roles. A user has at most 50."
    )


@strawberry.input(description="Roles that a user gets.")
class UserRolesAddInput(_Roles):
    pass


@strawberry.input(description="Roles that a user loses.")
class UserRolesRemoveInput(_Roles):
    pass


@strawberry.type(description="The answer to `roleCreate`.")
class RoleCreatePayload(Payload):
    role: Role | None = object_field("role")


@strawberry.type(description="The answer to `roleUpdate`.")
class RoleUpdatePayload(Payload):
    role: Role | None = object_field("role")


@strawberry.type(description="The answer to `roleDelete`.")
class RoleDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("role")


@strawberry.type(description="The answer to `rolePermissionsAdd`.")
class RolePermissionsAddPayload(Payload):
    role: Role | None = object_field("role")


@strawberry.type(description="The answer to `rolePermissionsRemove`.")
class RolePermissionsRemovePayload(Payload):
    role: Role | None = object_field("role")


@strawberry.type(description="The answer to `userRolesAdd`.")
class UserRolesAddPayload(Payload):
    user: User | None = object_field("user")


@strawberry.type(description="The answer to `userRolesRemove`.")
class UserRolesRemovePayload(Payload):
    user: User | None = object_field("user")


@strawberry.type(description="The answer to `userPermissionsAdd`.")
class UserPermissionsAddPayload(Payload):
    user: User | None = object_field("user")


@strawberry.type(description="The answer to `userPermissionsRemove`.")
class UserPermissionsRemovePayload(Payload):
    user: User | None = object_field("user")


def _role(info: Info, outcome: Outcome[RoleFacts]) -> Role | None:
    return Role.of(outcome.value, info.context.tenant_id) if outcome.value else None


def _user(info: Info, outcome: Outcome[UserFacts]) -> User | None:
    return User.of(outcome.value, info.context.tenant_id) if outcome.value else None


def _patch(info: Info, noun: str, input: Any, *besides: str) -> Any:
    return patch(local_id(noun, info.context.tenant_id, input.id), input, *besides)


def _permissions(input: _Permissions) -> Permissions:
    return Permissions(input.audience, tuple(dict.fromkeys(input.scopes)))


_APART = ("audience", "scopes", "role_ids")


@strawberry.type
class RoleMutations:
    @field(
        "Makes a role.",
        "create:roles",
    )
    async def role_create(
        self, info: Info, input: Annotated[RoleCreateInput, SENT]
    ) -> RoleCreatePayload | None:
        outcome = await run(info, RoleFacts, roles.create, given(input))
        return RoleCreatePayload(role=_role(info, outcome), errors=outcome.errors)

    @field(
        "Changes the name or the description of a role.",
        "update:roles",
    )
    async def role_update(
        self, info: Info, input: Annotated[RoleUpdateInput, CHANGED]
    ) -> RoleUpdatePayload | None:
        outcome = await run(info, RoleFacts, roles.update, _patch(info, "Role", input))
        return RoleUpdatePayload(role=_role(info, outcome), errors=outcome.errors)

    @field(
        "Deletes a role, and takes it from its users.",
        "delete:roles",
    )
    async def role_delete(
        self, info: Info, input: Annotated[RoleDeleteInput, SENT]
    ) -> RoleDeletePayload | None:
        outcome = await run(info, str, roles.delete, _patch(info, "Role", input))
        return RoleDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )

    @field(
        "Gives permissions to a role, and so to its users.",
        "update:roles",
    )
    async def role_permissions_add(
        self, info: Info, input: Annotated[RolePermissionsAddInput, SENT]
    ) -> RolePermissionsAddPayload | None:
        command, addresses = _patch(info, "Role", input, *_APART), info.context.runtime.addresses
        outcome = await run(
            info, RoleFacts, roles.add_permissions, addresses, command, _permissions(input)
        )
        return RolePermissionsAddPayload(role=_role(info, outcome), errors=outcome.errors)

    @field(
        "Takes permissions from a role, and so from its users.",
        "update:roles",
    )
    async def role_permissions_remove(
        self, info: Info, input: Annotated[RolePermissionsRemoveInput, SENT]
    ) -> RolePermissionsRemovePayload | None:
        command = _patch(info, "Role", input, *_APART)
        outcome = await run(info, RoleFacts, roles.remove_permissions, command, _permissions(input))
        return RolePermissionsRemovePayload(role=_role(info, outcome), errors=outcome.errors)

    @field(
        "Gives roles to a user.",
        ASSIGNS,
    )
    async def user_roles_add(
        self, info: Info, input: Annotated[UserRolesAddInput, SENT]
    ) -> UserRolesAddPayload | None:
        outcome = await run(
            info, UserFacts, roles.give_roles, _patch(info, "User", input, *_APART),
            _role_ids(info, input),
        )  # fmt: skip
        return UserRolesAddPayload(user=_user(info, outcome), errors=outcome.errors)

    @field(
        "Takes roles from a user; what they permit ends at once.",
        ASSIGNS,
    )
    async def user_roles_remove(
        self, info: Info, input: Annotated[UserRolesRemoveInput, SENT]
    ) -> UserRolesRemovePayload | None:
        outcome = await run(
            info, UserFacts, roles.take_roles, _patch(info, "User", input, *_APART),
            _role_ids(info, input),
        )  # fmt: skip
        return UserRolesRemovePayload(user=_user(info, outcome), errors=outcome.errors)

    @field(
        "Gives permissions to a user without a role.",
        ASSIGNS,
    )
    async def user_permissions_add(
        self, info: Info, input: Annotated[UserPermissionsAddInput, SENT]
    ) -> UserPermissionsAddPayload | None:
        command, addresses = _patch(info, "User", input, *_APART), info.context.runtime.addresses
        outcome = await run(
            info, UserFacts, roles.give_permissions, addresses, command, _permissions(input)
        )
        return UserPermissionsAddPayload(user=_user(info, outcome), errors=outcome.errors)

    @field(
        "Takes permissions from a user that were given without a role.",
        ASSIGNS,
    )
    async def user_permissions_remove(
        self, info: Info, input: Annotated[UserPermissionsRemoveInput, SENT]
    ) -> UserPermissionsRemovePayload | None:
        command = _patch(info, "User", input, *_APART)
        outcome = await run(info, UserFacts, roles.take_permissions, command, _permissions(input))
        return UserPermissionsRemovePayload(user=_user(info, outcome), errors=outcome.errors)


def _role_ids(info: Info, input: _Roles) -> tuple[str, ...]:
    return tuple(local_id("Role", info.context.tenant_id, id) for id in input.role_ids)
