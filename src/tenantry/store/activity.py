"""Activity by day, counted once from the audit log and kept when the log is gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table, func, select

from tenantry.core.activity import ActivityDayFacts, Totals
from tenantry.store.rows import to_facts
from tenantry.store.tables import (
    active_users,
    activity_days,
    applications,
    connections,
    resource_servers,
    users,
)
from tenantry.store.unit_of_work import TenantSession


def days(db: TenantSession, first: str, last: str) -> tuple[ActivityDayFacts, ...]:
    """The days from `first` to `last` on which anything happened."""
    rows = db.connection.execute(
        select(activity_days)
        .where(activity_days.c.tenant_id == db.tenant_id, activity_days.c.id.between(first, last))
        .order_by(activity_days.c.id)
    ).mappings()
    return tuple(to_facts(ActivityDayFacts, row) for row in rows)


def users_active(db: TenantSession, first: str, last: str) -> int:
    """How many users were active on any of these days."""
    return db.connection.execute(
        select(func.count(active_users.c.user_id.distinct())).where(
            active_users.c.tenant_id == db.tenant_id, active_users.c.day.between(first, last)
        )
    ).scalar_one()


def totals(db: TenantSession) -> Totals:
    """How many of each noun there are."""
    tables = (users, applications, resource_servers, connections)
    counts = db.connection.execute(select(*_counts(db, tables))).one()
    return Totals(
        users=counts[0], applications=counts[1], resource_servers=counts[2], connections=counts[3]
    )


def _counts(db: TenantSession, counted: Iterable[Table]) -> list[Any]:
    found: list[Any] = []
    for table in counted:
        conditions = [table.c.tenant_id == db.tenant_id]
        if "deleted_at" in table.c:
            conditions.append(table.c.deleted_at.is_(None))
        found.append(select(func.count()).select_from(table).where(*conditions).scalar_subquery())
    return found
