"""The audit log in the order in which it became visible: whoever reads on misses nothing."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import not_, select

from tenantry.core.facts import LogEventFacts
from tenantry.core.log_streams import PlacedEvent
from tenantry.store import log_positions
from tenantry.store.audit import of_types
from tenantry.store.log_positions import Position
from tenantry.store.rows import to_facts
from tenantry.store.tables import log_events
from tenantry.store.unit_of_work import TenantSession


def head(db: TenantSession) -> Position:
    """The place from which all that is not yet settled follows."""
    return log_positions.head(db.connection, is_sqlite=db.is_sqlite)


def read(
    db: TenantSession,
    after: Position,
    types: Sequence[str],
    limit: int,
    until: Position | None = None,
) -> tuple[PlacedEvent, ...]:
    """The next events of these types, or of all, up to and with `until`."""
    conditions = [
        log_events.c.tenant_id == db.tenant_id,
        log_positions.settled(is_sqlite=db.is_sqlite),
        log_positions.beyond(*after),
    ]
    if until is not None:
        conditions += [
            log_events.c.position <= until[0],
            not_(log_positions.beyond(*until)),
        ]
    if types:
        conditions.append(of_types(types))
    rows = db.connection.execute(
        select(log_events)
        .where(*conditions)
        .order_by(log_events.c.position, log_events.c.id)
        .limit(limit)
    ).mappings()
    return tuple(PlacedEvent(row["position"], to_facts(LogEventFacts, row)) for row in rows)
