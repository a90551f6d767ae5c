"""Device codes (RFC 8628), found by the digest of either code. Never cached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from tenantry.store.rows import to_facts, to_row
from tenantry.store.tables import device_codes
from tenantry.store.unit_of_work import TenantSession


class DeviceState(StrEnum):
    """`pending` waits for the person, `approved` for the device; the others are ends."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    REDEEMED = "redeemed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCodeFacts:
    """`requested_scopes` is what the device asked, `scopes` what the person allowed."""

    id: str
    state: DeviceState
    issuer: str
    client_id: str
    audience: str | None
    requested_scopes: tuple[str, ...]
    scopes: tuple[str, ...]
    user_id: str | None
    auth_time: datetime | None
    poll_interval: int
    polled_at: datetime | None
    created_at: datetime
    expires_at: datetime


def create(db: TenantSession, facts: DeviceCodeFacts, device_digest: str, user_digest: str) -> bool:
    """False where the user code is another device's already."""
    names = DeviceCodeFacts.__dataclass_fields__
    values = to_row({name: getattr(facts, name) for name in names})
    try:
        with db.connection.begin_nested():
            db.connection.execute(
                insert(device_codes).values(
                    **values,
                    tenant_id=db.tenant_id,
                    device_code_digest=device_digest,
                    user_code_digest=user_digest,
                )
            )
    except IntegrityError:
        return False
    return True


def find_by_device_code(db: TenantSession, digests: Sequence[str]) -> DeviceCodeFacts | None:
    return _find(db, device_codes.c.device_code_digest.in_(digests))


def find_by_user_code(db: TenantSession, digests: Sequence[str]) -> DeviceCodeFacts | None:
    return _find(db, device_codes.c.user_code_digest.in_(digests))


def _find(db: TenantSession, condition: Any) -> DeviceCodeFacts | None:
    row = (
        db.connection.execute(
            select(device_codes).where(device_codes.c.tenant_id == db.tenant_id, condition)
        )
        .mappings()
        .one_or_none()
    )
    return to_facts(DeviceCodeFacts, row) if row else None


def note_poll(db: TenantSession, id: str, poll_interval: int) -> None:
    """Remembers when the device asked, and how long it must wait from now on."""
    db.connection.execute(
        update(device_codes)
        .where(device_codes.c.tenant_id == db.tenant_id, device_codes.c.id == id)
        .values(polled_at=db.now, poll_interval=poll_interval)
    )


def approve(
    db: TenantSession, id: str, user_id: str, auth_time: datetime, scopes: Sequence[str]
) -> bool:
    """Whether the device still waited; of several people one answers for it."""
    return _advance(
        db,
        id,
        DeviceState.PENDING,
        {
            "state": DeviceState.APPROVED.value,
            "user_id": user_id,
            "auth_time": auth_time,
            "scopes": list(scopes),
        },
    )


def deny(db: TenantSession, id: str) -> bool:
    """Whether the device still waited."""
    return _advance(db, id, DeviceState.PENDING, {"state": DeviceState.DENIED.value})


def claim(db: TenantSession, id: str) -> bool:
    """Consumes an approved device code. Of any number of contenders one gets True."""
    return _advance(db, id, DeviceState.APPROVED, {"state": DeviceState.REDEEMED.value})


def _advance(db: TenantSession, id: str, state: DeviceState, values: dict[str, Any]) -> bool:
    return bool(
        db.connection.execute(
            update(device_codes)
            .where(
                device_codes.c.tenant_id == db.tenant_id,
                device_codes.c.id == id,
                device_codes.c.state == state.value,
                device_codes.c.expires_at > db.now,
            )
            .values(**values)
        ).rowcount
    )
