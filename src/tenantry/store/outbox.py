"""Messages that wait to be sent: leased, tried again, kept for a while after their end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, update

from tenantry.core.ids import new_id
from tenantry.store.tables import deliveries
from tenantry.store.unit_of_work import TenantSession

KEEP = timedelta(days=7)


class DeliveryState(StrEnum):
    """The others are ends."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFacts:
    """A message that was leased. `payload` is sealed; `attempts` counts this one too."""

    tenant_id: str
    id: str
    kind: str
    payload: str
    attempts: int


def _row(tenant_id: str, id: str) -> str:
    return f"delivery {tenant_id} {id}"


def enqueue(db: TenantSession, kind: str, payload: Mapping[str, Any]) -> str:
    """Stores a message, encrypted, in the transaction of what it tells of. Returns its id."""
    id_ = new_id()
    sealed = db.vault.encrypt(json.dumps(payload).encode(), _row(db.tenant_id, id_))
    db.connection.execute(
        insert(deliveries).values(
            tenant_id=db.tenant_id,
            id=id_,
            kind=kind,
            state=DeliveryState.WAITING.value,
            payload=sealed,
            attempts=0,
            last_error=None,
            created_at=db.now,
            due_at=db.now,
            expires_at=db.now + KEEP,
        )
    )
    return id_


def opened(db: TenantSession, delivery: DeliveryFacts) -> dict[str, Any]:
    """What is to be said."""
    payload: dict[str, Any] = json.loads(
        db.vault.decrypt(delivery.payload, _row(db.tenant_id, delivery.id))
    )
    return payload


def finish(
    db: TenantSession, delivery: DeliveryFacts, state: DeliveryState, error: str | None = None
) -> bool:
    """Ends a delivery; False where its lease ran out and another attempt began."""
    return _settle(db, delivery, {"state": state.value, "last_error": error})


def postpone(db: TenantSession, delivery: DeliveryFacts, due_at: datetime, error: str) -> bool:
    """Lets it be tried again at `due_at`; False as with `finish`."""
    return _settle(db, delivery, {"due_at": due_at, "last_error": error})


def _settle(db: TenantSession, delivery: DeliveryFacts, values: Mapping[str, Any]) -> bool:
    return bool(
        db.connection.execute(
            update(deliveries)
            .where(
                deliveries.c.tenant_id == db.tenant_id,
                deliveries.c.id == delivery.id,
                deliveries.c.state == DeliveryState.WAITING.value,
                deliveries.c.attempts == delivery.attempts,
            )
            .values(**values)
        ).rowcount
    )
