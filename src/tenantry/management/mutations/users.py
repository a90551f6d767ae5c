"""Users: making, changing, blocking, and their passwords."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import UserFacts
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.inputs import (
    CHANGED,
    SENT,
    ExistingObject,
    given,
    patch,
    sent,
)
from tenantry.management.mutations.payloads import Payload, deleted_field, object_field
from tenantry.management.mutations.roles import ASSIGNS
from tenantry.management.mutations.unit import Outcome, refused, run
from tenantry.management.permissions import input_field_scopes
from tenantry.management.types.common import described, setting
from tenantry.management.types.user import ABOUT, CREDENTIAL_ABOUT, AddressInput, User
from tenantry.services import users
from tenantry.services.commands import NewUser

_APART = ("connection", "password", "password_hash")


@strawberry.input
class _Claims:
    email: str | None = setting(ABOUT, "email")
    email_verified: bool | None = setting(ABOUT, "email_verified")
    username: str | None = setting(ABOUT, "username")
    name: str | None = setting(ABOUT, "name")
    given_name: str | None = setting(ABOUT, "given_name")
    family_name: str | None = setting(ABOUT, "family_name")
    middle_name: str | None = setting(ABOUT, "middle_name")
    nickname: str | None = setting(ABOUT, "nickname")
    preferred_username: str | None = setting(ABOUT, "preferred_username")
    profile: str | None = setting(ABOUT, "profile")
    picture: str | None = setting(ABOUT, "picture")
    website: str | None = setting(ABOUT, "website")
    gender: str | None = setting(ABOUT, "gender")
    birthdate: str | None = setting(ABOUT, "birthdate")
    zoneinfo: str | None = setting(ABOUT, "zoneinfo")
    locale: str | None = setting(ABOUT, "locale")
    phone_number: str | None = setting(ABOUT, "phone_number")
    phone_number_verified: bool | None = setting(ABOUT, "phone_number_verified")
    address: AddressInput | None = setting(ABOUT, "address")
    user_metadata: JSON | None = setting(ABOUT, "user_metadata")
    app_metadata: JSON | None = setting(ABOUT, "app_metadata")


@strawberry.input(description="A new user, with an email or a username.")
class UserCreateInput(_Claims):
    connection: str = strawberry.field(description="The name of the user's connection.")
    password: str | None = setting(ABOUT, "password")
    password_hash: str | None = setting(ABOUT, "password_hash")


@strawberry.input(
    description="A password of a user in a realm export of Keycloak, out of its `credentials`."
)
class PasswordCredentialInput:
    credential_data: str = described(CREDENTIAL_ABOUT, "credential_data")
    secret_data: str = described(CREDENTIAL_ABOUT, "secret_data")


@strawberry.input(
    description=(
        "A line of a USER_IMPORT job: a user, with an email or a username, and the password as "
        "another system hashed it."
    )
)
class UserImportInput(_Claims):
    password_hash: str | None = setting(ABOUT, "password_hash")
    password_credential: PasswordCredentialInput | None = strawberry.field(
        description="The same as Keycloak exports it, instead of `passwordHash`. Default null.",
        default=strawberry.UNSET,
    )
    blocked: bool | None = strawberry.field(
        description="Whether the user may not sign in. Default false; an upsert leaves it.",
        default=strawberry.UNSET,
    )
    roles: list[str] | None = strawberry.field(
        description=(
            "The names of roles to give, at most 50; each must exist. A line that has it needs "
            "the scopes of `userRolesAdd`. Default none."
        ),
        default=strawberry.UNSET,
        directives=input_field_scopes(*ASSIGNS),
    )


@strawberry.input(description="Changes of a user. The password has a mutation of its own.")
class UserUpdateInput(_Claims, ExistingObject):
    pass


@strawberry.input(description="A user and the new password.")
class UserPasswordSetInput(ExistingObject):
    password: str = described(ABOUT, "password")


@strawberry.input(description="A user who may not sign in any more.")
class UserBlockInput(ExistingObject):
    pass


@strawberry.input(description="A blocked user who may sign in again.")
class UserUnblockInput(ExistingObject):
    pass


@strawberry.input(description="A user to delete.")
class UserDeleteInput(ExistingObject):
    pass


@strawberry.type(description="The answer to `userCreate`.")
class UserCreatePayload(Payload):
    user: User | None = object_field("user")


@strawberry.type(description="The answer to `userUpdate`.")
class UserUpdatePayload(Payload):
    user: User | None = object_field("user")


@strawberry.type(description="The answer to `userPasswordSet`.")
class UserPasswordSetPayload(Payload):
    user: User | None = object_field("user")


@strawberry.type(description="The answer to `userBlock`.")
class UserBlockPayload(Payload):
    user: User | None = object_field("user")


@strawberry.type(description="The answer to `userUnblock`.")
class UserUnblockPayload(Payload):
    user: User | None = object_field("user")


@strawberry.type(description="The answer to `userDelete`.")
class UserDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("user")


def _published(info: Info, outcome: Outcome[UserFacts]) -> User | None:
    return User.of(outcome.value, info.context.tenant_id) if outcome.value else None


def _local(info: Info, id: str) -> str:
    return local_id("User", info.context.tenant_id, id)


async def _hash(
    info: Info, check: Callable[..., None], owner: str, password: str
) -> str | DomainError:
    """The hash, made outside any unit of work, or why the policy refuses the password.

    The refusal is raised inside the unit, so that an idempotent repetition finds its answer.
    """
    try:
        await info.context.read(check, owner, password)
    except DomainError as refusal:
        return refusal
    return await info.context.runtime.passwords.hash(password)


@strawberry.type
class UserMutations:
    @field(
        "Makes a user in a connection.",
        "create:users",
    )
    async def user_create(
        self, info: Info, input: Annotated[UserCreateInput, SENT]
    ) -> UserCreatePayload | None:
        values, password = given(input, *_APART), sent(input.password)
        imported: str | None = sent(input.password_hash)
        hashed: str | DomainError | None = None
        if password is not None and imported is not None:
            hashed = DomainError(
                ErrorCode.NOT_ALLOWED, "Send a password or its hash.", "password_hash"
            )
        elif password is not None:
            hashed = await _hash(info, users.check_password, input.connection, password)
        if isinstance(hashed, DomainError):
            outcome: Outcome[Any] = await run(info, UserFacts, refused, hashed)
        else:
            command = NewUser(
                input.connection, values, password_hash=hashed, imported_hash=imported
            )
            outcome = await run(info, UserFacts, users.create, command)
        return UserCreatePayload(user=_published(info, outcome), errors=outcome.errors)

    @field(
        "Changes the claims of a user.",
        "update:users",
    )
    async def user_update(
        self, info: Info, input: Annotated[UserUpdateInput, CHANGED]
    ) -> UserUpdatePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, UserFacts, users.update, command)
        return UserUpdatePayload(user=_published(info, outcome), errors=outcome.errors)

    @field(
        "Sets a password, and ends the user's sessions and tokens.",
        "update:users",
    )
    async def user_password_set(
        self, info: Info, input: Annotated[UserPasswordSetInput, SENT]
    ) -> UserPasswordSetPayload | None:
        command = patch(_local(info, input.id), input, "password")
        hashed = await _hash(info, users.check_password_of, command.id, input.password)
        if isinstance(hashed, DomainError):
            outcome: Outcome[Any] = await run(info, UserFacts, refused, hashed)
        else:
            outcome = await run(info, UserFacts, users.set_password, command, hashed)
        return UserPasswordSetPayload(user=_published(info, outcome), errors=outcome.errors)

    @field(
        "Blocks a user, and ends the user's sessions and tokens.",
        "update:users",
    )
    async def user_block(
        self, info: Info, input: Annotated[UserBlockInput, SENT]
    ) -> UserBlockPayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, UserFacts, users.set_blocked, command, blocked=True)
        return UserBlockPayload(user=_published(info, outcome), errors=outcome.errors)

    @field(
        "Lets a blocked user sign in again.",
        "update:users",
    )
    async def user_unblock(
        self, info: Info, input: Annotated[UserUnblockInput, SENT]
    ) -> UserUnblockPayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, UserFacts, users.set_blocked, command, blocked=False)
        return UserUnblockPayload(user=_published(info, outcome), errors=outcome.errors)

    @field(
        "Deletes a user with sessions, tokens, consents and permissions.",
        "delete:users",
    )
    async def user_delete(
        self, info: Info, input: Annotated[UserDeleteInput, SENT]
    ) -> UserDeletePayload | None:
        outcome = await run(info, str, users.delete, patch(_local(info, input.id), input))
        return UserDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )
