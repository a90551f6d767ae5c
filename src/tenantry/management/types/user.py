"""Users as the schema shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from tenantry.core import facts as core
from tenantry.core.facts import UserFacts
from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import global_id
from tenantry.management.orders import GrantOrder, OrganizationOrder, SessionOrder
from tenantry.management.types.common import StoredObject, described, publish, setting
from tenantry.management.types.connection import Connection
from tenantry.management.types.grant import Grant
from tenantry.management.types.organization import Organization
from tenantry.management.types.role import Role, UserPermission
from tenantry.management.types.session import Session

ABOUT: Mapping[str, str] = {
    "user_id": "The `sub` of the user's tokens. Never changes.",
    "email": (
        "The email address, at most 254 characters, once in its connection whatever the case. A "
        "user needs an email or a username. Default null."
    ),
    "email_verified": "Whether the address is known to be the user's. Default false.",
    "username": (
        "A name to sign in with: 1 to 128 letters, digits and signs, once in its connection. "
        "Default null."
    ),
    "blocked": "Whether the user may not sign in.",
    "last_login_at": "When the user last signed in; null if never.",
    "password_changed_at": "When the password was last set; null if there is none.",
    "name": "The full name. At most 300 characters; default null.",
    "given_name": "The given name. At most 150 characters; default null.",
    "family_name": "The family name. At most 150 characters; default null.",
    "middle_name": "The middle name. At most 150 characters; default null.",
    "nickname": "A casual name. At most 300 characters; default null.",
    "preferred_username": "The name to be called by. At most 300 characters; default null.",
    "profile": "The URL of a page about the user. Default null.",
    "picture": "The URL of a picture of the user. Default null.",
    "website": "The URL of the user's own page. Default null.",
    "gender": "The gender, in free text. At most 50 characters; default null.",
    "birthdate": "The day or only the year of birth: YYYY-MM-DD or YYYY. Default null.",
    "zoneinfo": "The time zone by its name, as in Europe/Zurich. Default null.",
    "locale": "The language and region as in BCP 47: de-CH. At most 35 characters; default null.",
    "phone_number": "The telephone number in E.164 form, as in +41441234567. Default null.",
    "phone_number_verified": "Whether the number is known to be the user's. Default false.",
    "address": "The postal address, replaced as a whole. Default null.",
    "user_metadata": (
        "What the user chose, a JSON object of at most 16384 bytes and ten levels. A change "
        "replaces the keys that are sent and removes those that are null. Default empty."
    ),
    "app_metadata": (
        "What applications know of the user, which the user does not choose; otherwise like "
        "`userMetadata`. Default empty."
    ),
    "password": (
        "The password, at most 256 characters and at least as many as the connection demands. "
        "Kept as an argon2id hash, never shown."
    ),
    "password_hash": (
        "The password as another system hashed it, instead of `password`; never shown, and made "
        "anew at the next login. bcrypt (`$2a$`, `$2b$`, `$2y$`, a cost of 4 to 14), or a PHC "
        "string: argon2 (at most 262144 KiB, and 1048576 KiB over all passes), `$pbkdf2-sha1$`, "
        "`$pbkdf2-sha256$` or `$pbkdf2-sha512$` (`i` at most 2000000), `$scrypt$` (`ln`, `r`, "
        "`p`; N·r·p at most 2097152, 262144 KiB). The same as passlib and Django write them, "
        "`$bcrypt-sha256$` and `bcrypt_sha256$` among them. At most 512 characters. Default null."
    ),
}
CREDENTIAL_ABOUT: Mapping[str, str] = {
    "credential_data": (
        "The member of this name: JSON as text, with `algorithm` (argon2, pbkdf2, pbkdf2-sha256 "
        "or pbkdf2-sha512), `hashIterations` and `additionalParameters`. At most 2048 characters."
    ),
    "secret_data": (
        "The member of this name: JSON as text, with `value` and `salt` in base64. At most 2048 "
        "characters."
    ),
}
ADDRESS_ABOUT: Mapping[str, str] = {
    "formatted": "The whole address as it is written, in one line or several. At most 500 "
    "characters; default null.",
    "street_address": "Street and number, in one line or several. At most 500 characters; "
    "default null.",
    "locality": "City or place. At most 500 characters; default null.",
    "region": "State or province. At most 500 characters; default null.",
    "postal_code": "Postal code. At most 500 characters; default null.",
    "country": "Country. At most 500 characters; default null.",
}


@strawberry.type(description="A postal address: the `address` claim of OpenID Connect.")
class Address:
    formatted: str | None = described(ADDRESS_ABOUT, "formatted")
    street_address: str | None = described(ADDRESS_ABOUT, "street_address")
    locality: str | None = described(ADDRESS_ABOUT, "locality")
    region: str | None = described(ADDRESS_ABOUT, "region")
    postal_code: str | None = described(ADDRESS_ABOUT, "postal_code")
    country: str | None = described(ADDRESS_ABOUT, "country")


@strawberry.input(description="A postal address: the `address` claim of OpenID Connect.")
class AddressInput:
    formatted: str | None = setting(ADDRESS_ABOUT, "formatted")
    street_address: str | None = setting(ADDRESS_ABOUT, "street_address")
    locality: str | None = setting(ADDRESS_ABOUT, "locality")
    region: str | None = setting(ADDRESS_ABOUT, "region")
    postal_code: str | None = setting(ADDRESS_ABOUT, "postal_code")
    country: str | None = setting(ADDRESS_ABOUT, "country")

    def facts(self) -> core.Address:
        return core.Address(**{name: getattr(self, name) or None for name in ADDRESS_ABOUT})


@strawberry.type(description="A person in a connection, with the claims of OpenID Connect.")
class User(StoredObject):
    user_id: str = described(ABOUT, "user_id")
    email: str | None = described(ABOUT, "email")
    email_verified: bool = described(ABOUT, "email_verified")
    username: str | None = described(ABOUT, "username")
    blocked: bool = described(ABOUT, "blocked")
    last_login_at: datetime | None = described(ABOUT, "last_login_at")
    password_changed_at: datetime | None = described(ABOUT, "password_changed_at")
    name: str | None = described(ABOUT, "name")
    given_name: str | None = described(ABOUT, "given_name")
    family_name: str | None = described(ABOUT, "family_name")
    middle_name: str | None = described(ABOUT, "middle_name")
    nickname: str | None = described(ABOUT, "nickname")
    preferred_username: str | None = described(ABOUT, "preferred_username")
    profile: str | None = described(ABOUT, "profile")
    picture: str | None = described(ABOUT, "picture")
    website: str | None = described(ABOUT, "website")
    gender: str | None = described(ABOUT, "gender")
    birthdate: str | None = described(ABOUT, "birthdate")
    zoneinfo: str | None = described(ABOUT, "zoneinfo")
    locale: str | None = described(ABOUT, "locale")
    phone_number: str | None = described(ABOUT, "phone_number")
    phone_number_verified: bool = described(ABOUT, "phone_number_verified")
    address: Address | None = described(ABOUT, "address")
    user_metadata: JSON = described(ABOUT, "user_metadata")
    app_metadata: JSON = described(ABOUT, "app_metadata")
    connection_id: strawberry.Private[str]

    @classmethod
    def of(cls, facts: UserFacts, tenant_id: str) -> User:
        return publish(
            cls,
            facts,
            id=global_id("User", tenant_id, facts.id),
            user_id=facts.id,
            address=facts.address and publish(Address, facts.address),
        )

    @field(
        "The connection that the user belongs to.",
        "read:connections",
    )
    async def connection(self, info: Info) -> Connection | None:
        facts = await info.context.loaders.connection.load(self.connection_id)
        return Connection.of(facts, info.context.tenant_id) if facts else None

    @field(
        "The user's sign-ins, the oldest first: those that last, and those that are over and were "
        "not removed yet.",
        "read:sessions",
    )
    async def sessions(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
    ) -> ListOf[Session] | None:
        asked = PageArguments(SessionOrder.CREATED_AT_ASC, first, last, after, before)
        loaders, tenant_id = info.context.loaders, info.context.tenant_id
        page = await loaders.sessions.load((self.user_id, asked.request()))
        return asked.page(
            page,
            lambda facts: Session.of(facts, tenant_id),
            lambda: loaders.session_count.load(self.user_id),
        )

    @field(
        "What the user allowed applications, the oldest first.",
        "read:grants",
    )
    async def grants(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
    ) -> ListOf[Grant] | None:
        asked = PageArguments(GrantOrder.CREATED_AT_ASC, first, last, after, before)
        loaders, tenant_id = info.context.loaders, info.context.tenant_id
        page = await loaders.grants.load((self.user_id, asked.request()))
        return asked.page(
            page,
            lambda facts: Grant.of(facts, tenant_id),
            lambda: loaders.grant_count.load(self.user_id),
        )

    @field(
        "The organizations that the user belongs to, the oldest first.",
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
        page = await loaders.user_organizations.load((self.user_id, asked.request()))
        return asked.page(
            page,
            lambda facts: Organization.of(facts, tenant_id),
            lambda: loaders.user_organization_count.load(self.user_id),
        )

    @field(
        "The user's roles, at most 50, by name.",
        "read:roles",
    )
    async def roles(self, info: Info) -> list[Role] | None:
        found = await info.context.loaders.user_roles.load(self.user_id)
        return [Role.of(facts, info.context.tenant_id) for facts in found]

    @field(
        "What the user may do, directly and by roles, by audience and scope.",
        "read:roles",
    )
    async def permissions(self, info: Info) -> list[UserPermission] | None:
        loaders, tenant_id = info.context.loaders, info.context.tenant_id
        direct = set(await loaders.user_permissions.load(self.user_id))
        given: dict[tuple[str, str], list[Role]] = {permission: [] for permission in direct}
        roles = await loaders.user_roles.load(self.user_id)
        permitted = await loaders.role_permissions.load_many([role.id for role in roles])
        for role, permissions in zip(roles, permitted, strict=True):
            for permission in permissions:
                given.setdefault(permission, []).append(Role.of(role, tenant_id))
        return [
            UserPermission(
                audience=audience, scope=scope, is_direct=(audience, scope) in direct, roles=by
            )
            for (audience, scope), by in sorted(given.items(), key=lambda item: item[0])
        ]
