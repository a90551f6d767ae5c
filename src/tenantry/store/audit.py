"""The audit log: rows in the transaction of the change, or in the next group commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Insert, or_, select

from tenantry.core.context import Caller
from tenantry.core.facts import LogEventFacts
from tenantry.core.ids import first_id_at, new_id
from tenantry.store import log_positions, pages
from tenantry.store.pages import Page, PageRequest
from tenantry.store.rows import to_facts
from tenantry.store.tables import log_events
from tenantry.store.unit_of_work import TenantSession

_MAX_USER_AGENT = 256
_MILLISECOND = timedelta(milliseconds=1)
EVENT_COLUMNS = tuple(column.name for column in log_events.c if column.name != "position")
"""What `event_row` gives."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: a type of `core.log_event_types`. `details` never holds a secret."""

    type: str
    client_id: str | None = None
    user_id: str | None = None
    target_type: str | None = None
    target_id: str | None = None
    details: Mapping[str, Any] | None = None


def event_row(tenant_id: str, caller: Caller, now: datetime, event: Event) -> dict[str, Any]:
    """The row of an event, with who caused it and from where."""
    actor, request = caller.actor, caller.request
    return {
        "tenant_id": tenant_id,
        "id": new_id(now),
        "type": event.type,
        "created_at": now,
        "actor_kind": actor.kind,
        "actor_id": _storable(actor.id),
        "actor_tenant_id": actor.tenant_id,
        "client_id": _storable(event.client_id),
        "user_id": _storable(event.user_id),
        "target_type": event.target_type,
        "target_id": _storable(event.target_id),
        "ip": request.ip,
        "user_agent": _storable(request.user_agent[:_MAX_USER_AGENT]),
        "request_id": _storable(request.request_id),
        "details": {name: _storable(value) for name, value in (event.details or {}).items()},
    }


def _storable(value: Any) -> Any:
    # A request may name what no column holds; its row must not fail the rows beside it.
    if value is None:
        return None
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return value
        return value.encode(errors="replace").decode().replace("\0", "\ufffd")
    if isinstance(value, Mapping):
        return {_storable(name): _storable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    return value


@cache
def _insertion(*, is_sqlite: bool) -> Insert:
    return log_positions.insertion(EVENT_COLUMNS, is_sqlite=is_sqlite)


def record(db: TenantSession, event: Event) -> None:
    """Writes the event in this transaction."""
    record_all(db, [event])


def record_all(db: TenantSession, events: Sequence[Event]) -> None:
    """The same for many at once."""
    if not events:
        return
    log_positions.begin(db.connection, is_sqlite=db.is_sqlite)
    db.connection.execute(
        _insertion(is_sqlite=db.is_sqlite),
        [event_row(db.tenant_id, db.caller, db.now, event) for event in events],
    )


def find(db: TenantSession, id: str) -> LogEventFacts | None:
    row = (
        db.connection.execute(
            select(log_events).where(log_events.c.tenant_id == db.tenant_id, log_events.c.id == id)
        )
        .mappings()
        .one_or_none()
    )
    return to_facts(LogEventFacts, row) if row else None


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events: `types` may end with `.*`; the times are a half-open interval."""

    types: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    client_id: str | None = None
    user_id: str | None = None
    actor_id: str | None = None
    target: tuple[str, str] | None = None
    request_id: str | None = None


def page(db: TenantSession, criteria: EventFilter, request: PageRequest) -> Page[LogEventFacts]:
    return pages.fetch_page(db, log_events, _conditions(db, criteria), request, LogEventFacts)


def count(db: TenantSession, criteria: EventFilter) -> int:
    return pages.count(db, log_events, _conditions(db, criteria))


def _conditions(db: TenantSession, criteria: EventFilter) -> list[Any]:
    conditions: list[Any] = [log_events.c.tenant_id == db.tenant_id]
    if criteria.types:
        conditions.append(of_types(criteria.types))
    # An id begins with its millisecond: the bounds on it let the key find what the times decide.
    if criteria.since:
        conditions.append(log_events.c.created_at >= criteria.since)
        conditions.append(log_events.c.id >= first_id_at(criteria.since))
    if criteria.until:
        conditions.append(log_events.c.created_at < criteria.until)
        conditions.append(log_events.c.id < first_id_at(criteria.until + _MILLISECOND))
    if criteria.client_id:
        conditions.append(log_events.c.client_id == criteria.client_id)
    if criteria.user_id:
        conditions.append(log_events.c.user_id == criteria.user_id)
    if criteria.actor_id:
        conditions.append(log_events.c.actor_id == criteria.actor_id)
    if criteria.target:
        conditions.append(log_events.c.target_type == criteria.target[0])
        conditions.append(log_events.c.target_id == criteria.target[1])
    if criteria.request_id:
        conditions.append(log_events.c.request_id == criteria.request_id)
    return conditions


def of_types(types: Iterable[str]) -> Any:
    """The events of any of these types; one that ends with `.*` stands for many."""
    return or_(
        *(
            log_events.c.type.startswith(name[:-1], autoescape=True)
            if name.endswith(".*")
            else log_events.c.type == name
            for name in types
        )
    )
