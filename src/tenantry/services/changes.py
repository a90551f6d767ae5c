"""What the audit log says of a change: the fields, before and after, never a secret."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tenantry.store.audit import Event, record
from tenantry.store.rows import to_row
from tenantry.store.unit_of_work import TenantSession

_SECRET_FIELDS = frozenset(
    {
        "secret_digest",
        "push_secret_envelope",
        "secret_envelope",
        "registration_token_digest",
        "password_hash",
        "client_secret",
        "token_encryption",
        "user_metadata",
        "app_metadata",
    }
)


def record_change(
    db: TenantSession,
    type: str,
    target: tuple[str, str],
    before: Any = None,
    after: Mapping[str, Any] | None = None,
    client_id: str | None = None,
    user_id: str | None = None,
) -> None:
    """`target` is the type and id of the object, `after` the fields that were written."""
    record(db, change_event(type, target, before, after, client_id, user_id))


def change_event(
    type: str,
    target: tuple[str, str],
    before: Any = None,
    after: Mapping[str, Any] | None = None,
    client_id: str | None = None,
    user_id: str | None = None,
) -> Event:
    """The same, to be written together with others."""
    changes: dict[str, dict[str, Any]] = {}
    for name, value in to_row(after or {}).items():
        if name in _SECRET_FIELDS:
            if getattr(before, name, None) != value:
                changes[name] = {"changed": True}
            continue
        old = to_row({name: getattr(before, name)})[name] if before is not None else None
        if before is None or old != value:
            changes[name] = {"before": _told(old), "after": _told(value)}
    return Event(
        type,
        client_id=client_id,
        user_id=user_id,
        target_type=target[0],
        target_id=target[1],
        details={"changes": changes} if changes else {},
    )


def _told(value: Any) -> Any:
    """As JSON has it."""
    return value.isoformat() if isinstance(value, datetime) else value
