"""What lists may be narrowed by: one input per list."""

from __future__ import annotations

from datetime import datetime

import strawberry

from tenantry.core.facts import ApplicationType, Environment, SubjectType
from tenantry.management.errors import request_error
from tenantry.management.mutations.inputs import sent
from tenantry.management.types.common import setting
from tenantry.store.audit import EventFilter
from tenantry.store.client_grants import ClientGrantFilter
from tenantry.store.consents import ConsentFilter
from tenantry.store.sessions import SessionFilter
from tenantry.store.users import UserFilter

_ABOUT = {
    "name_contains": "Only those whose name contains this text; case is ignored.",
    "tenant_name_contains": "Only those whose name contains this text.",
    "environment": "Only those of this environment.",
    "application_type": "Only those of this type.",
    "client_id": "Only those of the application with this `clientId`.",
    "audience": "Only those for the API with this identifier.",
    "subject_type": "Only those of this subject type.",
    "email": "Only users with this whole address; case is ignored.",
    "email_prefix": "Only users whose address begins with this; case is ignored.",
    "connection": "Only users of the connection with this name.",
    "blocked": "Only users who are blocked, or only those who are not.",
    "types": (
        "Only events of these types, at most 50. A type that ends with `.*` stands for all that "
        "begin like it: `application.*`."
    ),
    "since": "Only events at this moment or later.",
    "until": "Only events before this moment.",
    "event_client_id": "Only events about the application with this `clientId`.",
    "user_id": "Only events about the user with this `userId`.",
    "session_user_id": "Only sessions of the user with this `userId`.",
    "grant_user_id": "Only those of the user with this `userId`.",
    "active": "Only sessions that last, or only those that are over.",
}
_ALL = "All that is given must hold; texts have at most 600 characters."
MAX_TYPES = 50
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


@strawberry.input(description=f"Narrows a list of APIs. {_ALL}")
class ResourceServerFilter:
    name_contains: str | None = setting(_ABOUT, "name_contains")


@strawberry.input(description=f"Narrows a list of roles. {_ALL}")
class RoleFilter:
    name_contains: str | None = setting(_ABOUT, "name_contains")


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


@strawberry.input(
    name="UserFilter",
    description=f"Narrows a list of users. {_ALL}",
)
class UserFilterInput:
    email: str | None = setting(_ABOUT, "email")
    email_prefix: str | None = setting(_ABOUT, "email_prefix")
    connection: str | None = setting(_ABOUT, "connection")
    blocked: bool | None = setting(_ABOUT, "blocked")

    def facts(self) -> UserFilter:
        return UserFilter(
            email=text(self.email),
            email_prefix=text(self.email_prefix),
            connection=text(self.connection),
            blocked=sent(self.blocked),
        )


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

    def facts(self) -> EventFilter:
        return EventFilter(
            types=event_types(sent(self.types) or []),
            since=sent(self.since),
            until=sent(self.until),
            client_id=text(self.client_id),
            user_id=text(self.user_id),
        )


def event_types(names: list[str]) -> tuple[str, ...]:
    if len(names) > MAX_TYPES:
        raise request_error("BAD_REQUEST", f"At most {MAX_TYPES} types.")
    return tuple(name for name in names if text(name))
