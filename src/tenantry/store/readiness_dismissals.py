"""Dismissed readiness checks: one row for each check of a tenant or an application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.readiness import ReadinessDismissalFacts
from tenantry.store.rows import to_facts, to_row
from tenantry.store.tables import readiness_dismissals
from tenantry.store.unit_of_work import TenantSession


def put(db: TenantSession, facts: ReadinessDismissalFacts) -> None:
    """A check that is dismissed again has the new reason and the new end."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    key: dict[str, Any] = {
        "tenant_id": db.tenant_id,
        "application_id": facts.application_id,
        "check_name": facts.check_name,
    }
    said = {name: getattr(facts, name) for name in ("reason", "dismissed_by")}
    said |= {name: getattr(facts, name) for name in ("dismissed_at", "expires_at")}
    db.connection.execute(
        insert(readiness_dismissals)
        .values(**key, **to_row(said))
        .on_conflict_do_update(index_elements=list(key), set_=to_row(said))
    )


def remove(db: TenantSession, application_id: str, check_name: str) -> bool:
    """Whether it was dismissed until now."""
    removed = db.connection.execute(
        delete(readiness_dismissals).where(
            readiness_dismissals.c.tenant_id == db.tenant_id,
            readiness_dismissals.c.application_id == application_id,
            readiness_dismissals.c.check_name == check_name,
            _counts(db),
        )
    )
    return bool(removed.rowcount)


def of_each(
    db: TenantSession, application_ids: Sequence[str]
) -> dict[str, tuple[ReadinessDismissalFacts, ...]]:
    """Those that count now, of many applications by one statement."""
    rows = db.connection.execute(
        select(readiness_dismissals).where(
            readiness_dismissals.c.tenant_id == db.tenant_id,
            readiness_dismissals.c.application_id.in_(application_ids),
            _counts(db),
        )
    ).mappings()
    found: dict[str, tuple[ReadinessDismissalFacts, ...]] = {}
    for row in rows:
        facts = to_facts(ReadinessDismissalFacts, row)
        found[facts.application_id] = (*found.get(facts.application_id, ()), facts)
    return found


def _counts(db: TenantSession) -> Any:
    end = readiness_dismissals.c.expires_at
    return or_(end.is_(None), end > db.now)
