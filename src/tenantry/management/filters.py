"""What lists may be narrowed by: one input per list."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import strawberry
from strawberry.scalars import JSON

from tenantry.core.custom_domains import CustomDomainStatus
from tenantry.core.facts import ApplicationType, Environment, SubjectType
from tenantry.core.ids import GlobalId
from tenantry.core.log_streams import LogStreamStatus
from tenantry.management.errors import request_error
from tenantry.management.mutations.inputs import sent
from tenantry.management.types.common import described, setting
from tenantry.rules.fields import encodable
from tenantry.rules.metadata import MAX_DEPTH
from tenantry.rules.user_search import MAX_WORDS, words
from tenantry.store import applications
from tenantry.store.audit import EventFilter
from tenantry.store.client_grants import ClientGrantFilter
from tenantry.store.consents import ConsentFilter
from tenantry.store.sessions import SessionFilter
from tenantry.store.user_search import MetadataValue
from tenantry.store.users import UserFilter

F = TypeVar("F")
_ABOUT = {
    "name_contains": "Only those whose name contains this text; case is ignored.",
    "tenant_name_contains": "Only those whose name contains this text.",
    "domain_contains": "Only those whose domain contains this text.",
    "domain_status": "Only those with this status.",
    "issuer_contains": "Only those whose issuer contains this text.",
    "stream_status": "Only those with this status.",
    "environment": "Only those of this environment.",
    "application_type": "Only those of this type.",
    "is_first_party": "Only first-party applications, or only those that are not.",
    "is_dynamically_registered": (
        "Only applications that registered themselves, or only those that did not."
    ),
    "client_id": "Only those of the application with this `clientId`.",
    "audience": "Only those for the API with this identifier.",
    "subject_type": "Only those of this subject type.",
    "email": "Only users with this whole address; case is ignored.",
    "email_prefix": "Only users whose address begins with this; case is ignored.",
    "connection": "Only users of the connection with this name.",
    "blocked": "Only users who are blocked, or only those who are not.",
    "user_ids": "Only users with one of these `userId`s, at most 100.",
    "search": (
        "Only users who are found by these words, at most 10: each must begin a word of a name, "
        "the nickname, the email or the username. Case and accents are ignored, and so is what is "
        "no letter and no digit: `ann smi` finds Ann Smith and ann.smith@example.com. Without "
        "any word nobody is found."
    ),
    "user_metadata": "Only users whose `userMetadata` has all of these values, at most 10.",
    "app_metadata": "Only users whose `appMetadata` has all of these values, at most 10.",
    "path": "The keys that lead to the value, from the outermost: 1 to 10.",
    "equals": (
        "A text, a number or a boolean: exactly the value there, or one entry of the list there."
    ),
    "types": (
        "Only events of these types, at most 50. A type that ends with `.*` stands for all that "
        "begin like it: `application.*`."
    ),
    "since": "Only events at this moment or later.",
    "until": "Only events before this moment.",
    "event_client_id": "Only events about the application with this `clientId`.",
    "user_id": "Only events about the user with this `userId`.",
    "actor_id": "Only events that the application or user with this `actorId` caused.",
    "target_id": "Only changes of the object with this id.",
    "request_id": "Only what happened in the request with this `requestId`.",
    "session_user_id": "Only sessions of the user with this `userId`.",
    "grant_user_id": "Only those of the user with this `userId`.",
    "active": "Only sessions that last, or only those that are over.",
}
_ALL = "All that is given must hold; texts have at most 600 characters."
MAX_TYPES = 50
MAX_USER_IDS = 100
MAX_VALUES = 10
MAX_TEXT = 600
"""Longer than anything that is stored; a far longer pattern is an error to SQLite."""


def text(value: str | None) -> str | None:
    """What was sent, if it may be looked for at all."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise request_error("BAD_REQUEST", f"A filter has at most {MAX_TEXT} characters.")
    found: str | None = sent(value)
    return found


@strawberry.input(description=f"Narrows a list of tenants. {_ALL}")
class TenantFilter:
    name_contains: str | None = setting(_ABOUT, "tenant_name_contains")
    environment: Environment | None = setting(_ABOUT, "environment")


@strawberry.input(description=f"Narrows a list of applications. {_ALL}")
class ApplicationFilter:
    name_contains: str | None = setting(_ABOUT, "name_contains")
    application_type: ApplicationType | None = setting(_ABOUT, "application_type")
    is_first_party: bool | None = setting(_ABOUT, "is_first_party")
    is_dynamically_registered: bool | None = setting(_ABOUT, "is_dynamically_registered")

    def criteria(self) -> applications.ApplicationFilter:
        return applications.ApplicationFilter(
            name_contains=text(self.name_contains),
            application_type=sent(self.application_type),
            is_first_party=sent(self.is_first_party),
            is_dynamically_registered=sent(self.is_dynamically_registered),
        )


@strawberry.input(description=f"Narrows a list of APIs. {_ALL}")
class ResourceServerFilter:
    name_contains: str | None = setting(_ABOUT, "name_contains")


@strawberry.input(description=f"Narrows a list of roles. {_ALL}")
class RoleFilter:
    name_contains: str | None = setting(_ABOUT, "name_contains")


@strawberry.input(description=f"Narrows a list of connections. {_ALL}")
class ConnectionFilter:
    name_contains: str | None = setting(_ABOUT, "name_contains")


@strawberry.input(description=f"Narrows a list of custom domains. {_ALL}")
class CustomDomainFilter:
    domain_contains: str | None = setting(_ABOUT, "domain_contains")
    status: CustomDomainStatus | None = setting(_ABOUT, "domain_status")


@strawberry.input(description=f"Narrows a list of log streams. {_ALL}")
class LogStreamFilter:
    name_contains: str | None = setting(_ABOUT, "name_contains")
    status: LogStreamStatus | None = setting(_ABOUT, "stream_status")


@strawberry.input(description=f"Narrows a list of trusted documents. {_ALL}")
class TrustedDocumentFilter:
    name_contains: str | None = setting(_ABOUT, "name_contains")


@strawberry.input(description=f"Narrows a list of trusted issuers. {_ALL}")
class TrustedIssuerFilter:
    issuer_contains: str | None = setting(_ABOUT, "issuer_contains")


@strawberry.input(
    name="ClientGrantFilter",
    description=f"Narrows a list of client grants. {_ALL}",
)
class ClientGrantFilterInput:
    client_id: str | None = setting(_ABOUT, "client_id")
    audience: str | None = setting(_ABOUT, "audience")
    subject_type: SubjectType | None = setting(_ABOUT, "subject_type")

    def facts(self) -> ClientGrantFilter:
        return ClientGrantFilter(text(self.client_id), text(self.audience), sent(self.subject_type))


@strawberry.input(description="A value in the metadata of a user.")
class MetadataFilter:
    path: list[str] = described(_ABOUT, "path")
    equals: JSON = described(_ABOUT, "equals")

    def facts(self, source: str) -> MetadataValue:
        path, value = tuple(self.path), self.equals
        if not 1 <= len(path) <= MAX_DEPTH or not all(map(encodable, path)):
            raise request_error("BAD_REQUEST", f"A `path` has 1 to {MAX_DEPTH} keys.")
        if not isinstance(value, str | int | float) or not encodable(str(value)):
            raise request_error("BAD_REQUEST", "`equals` is a text, a number or a boolean.")
        return MetadataValue(source, path, value)


@strawberry.input(
    name="UserFilter",
    description=f"Narrows a list of users. {_ALL}",
)
class UserFilterInput:
    email: str | None = setting(_ABOUT, "email")
    email_prefix: str | None = setting(_ABOUT, "email_prefix")
    connection: str | None = setting(_ABOUT, "connection")
    blocked: bool | None = setting(_ABOUT, "blocked")
    user_ids: list[str] | None = setting(_ABOUT, "user_ids")
    search: str | None = setting(_ABOUT, "search")
    user_metadata: list[MetadataFilter] | None = setting(_ABOUT, "user_metadata")
    app_metadata: list[MetadataFilter] | None = setting(_ABOUT, "app_metadata")

    def facts(self) -> UserFilter:
        search, user_ids = text(self.search), sent(self.user_ids)
        sought = words(search or "")
        if len(sought) > MAX_WORDS:
            raise request_error("BAD_REQUEST", f"A search has at most {MAX_WORDS} words.")
        if user_ids is not None:
            user_ids = _few(user_ids, "userIds", MAX_USER_IDS)
        return UserFilter(
            email=text(self.email),
            email_prefix=text(self.email_prefix),
            connection=text(self.connection),
            blocked=sent(self.blocked),
            user_ids=() if search is not None and not sought else user_ids,
            words=sought,
            metadata=(
                *_values(self.user_metadata, "user_metadata"),
                *_values(self.app_metadata, "app_metadata"),
            ),
        )


def _few(given: list[F], name: str, most: int) -> tuple[F, ...]:
    if len(given) > most:
        raise request_error("BAD_REQUEST", f"`{name}` has at most {most} entries.")
    return tuple(given)


def _values(given: list[MetadataFilter] | None, source: str) -> tuple[MetadataValue, ...]:
    found = _few(sent(given) or [], source, MAX_VALUES)
    return tuple(one.facts(source) for one in found)


@strawberry.input(
    name="SessionFilter",
    description=f"Narrows a list of sessions. {_ALL}",
)
class SessionFilterInput:
    user_id: str | None = setting(_ABOUT, "session_user_id")
    active: bool | None = setting(_ABOUT, "active")

    def facts(self) -> SessionFilter:
        return SessionFilter(text(self.user_id), sent(self.active))


@strawberry.input(
    name="GrantFilter",
    description=f"Narrows a list of user grants. {_ALL}",
)
class GrantFilterInput:
    user_id: str | None = setting(_ABOUT, "grant_user_id")
    client_id: str | None = setting(_ABOUT, "client_id")
    audience: str | None = setting(_ABOUT, "audience")

    def facts(self) -> ConsentFilter:
        return ConsentFilter(text(self.user_id), text(self.client_id), text(self.audience))


@strawberry.input(description=f"Narrows the audit log. {_ALL}")
class LogEventFilter:
    types: list[str] | None = setting(_ABOUT, "types")
    since: datetime | None = setting(_ABOUT, "since")
    until: datetime | None = setting(_ABOUT, "until")
    client_id: str | None = setting(_ABOUT, "event_client_id")
    user_id: str | None = setting(_ABOUT, "user_id")
    actor_id: str | None = setting(_ABOUT, "actor_id")
    target_id: strawberry.ID | None = setting(_ABOUT, "target_id")
    request_id: str | None = setting(_ABOUT, "request_id")

    def facts(self) -> EventFilter:
        return EventFilter(
            types=event_types(sent(self.types) or []),
            since=sent(self.since),
            until=sent(self.until),
            client_id=text(self.client_id),
            user_id=text(self.user_id),
            actor_id=text(self.actor_id),
            target=_target(text(self.target_id)),
            request_id=text(self.request_id),
        )


def _target(id: str | None) -> tuple[str, str] | None:
    """The type and row of an object; an id that names none finds nothing."""
    if not id:
        return None
    decoded = GlobalId.decode(id)
    return (decoded.type, decoded.local_id) if decoded else ("", id)


def event_types(names: list[str]) -> tuple[str, ...]:
    if len(names) > MAX_TYPES:
        raise request_error("BAD_REQUEST", f"At most {MAX_TYPES} types.")
    return tuple(name for name in names if text(name))
