"""Users as an export shows them: what an import takes, without the password."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import UTC
from typing import Any

from tenantry.core.facts import UserFacts
from tenantry.rules.users import USER_FIELDS
from tenantry.services.log_events import camel
from tenantry.store import roles, users
from tenantry.store.pages import PageRequest
from tenantry.store.unit_of_work import TenantSession
from tenantry.store.users import UserFilter


def export_page(
    db: TenantSession, connection: str | None, after: str | None, size: int
) -> list[dict[str, Any]]:
    """The next users in the order of their ids, of one connection or of all."""
    request = PageRequest(size, after=(after, after) if after else None)
    found = users.page(db, UserFilter(connection=connection), request).items
    held = roles.of_each_user(db, [user.id for user in found])
    return [_written(user, [role.name for role in held.get(user.id, ())]) for user in found]


def _written(user: UserFacts, role_names: Iterable[str]) -> dict[str, Any]:
    claims = {camel(name): _plain(getattr(user, name)) for name in USER_FIELDS}
    return {
        "userId": user.id,
        "createdAt": user.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        **{name: value for name, value in claims.items() if value is not None},
        "blocked": user.blocked,
        "roles": list(role_names),
    }


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        parts = {camel(field.name): getattr(value, field.name) for field in fields(value)}
        return {name: part for name, part in parts.items() if part is not None}
    return value
