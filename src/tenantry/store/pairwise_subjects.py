"""Whom the pairwise names mean that applications were given. Kept as long as the user."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.store.tables import pairwise_subjects
from tenantry.store.unit_of_work import TenantSession


def remember(db: TenantSession, subject: str, user_id: str) -> None:
    """Once is enough: a name always means the same user."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    db.connection.execute(
        insert(pairwise_subjects)
        .values(tenant_id=db.tenant_id, subject=subject, user_id=user_id)
        .on_conflict_do_nothing()
    )


def find_user(db: TenantSession, subject: str) -> str | None:
    found: str | None = db.connection.execute(
        select(pairwise_subjects.c.user_id).where(
            pairwise_subjects.c.tenant_id == db.tenant_id, pairwise_subjects.c.subject == subject
        )
    ).scalar_one_or_none()
    return found


def forget_user(db: TenantSession, user_id: str) -> None:
    db.connection.execute(
        delete(pairwise_subjects).where(
            pairwise_subjects.c.tenant_id == db.tenant_id, pairwise_subjects.c.user_id == user_id
        )
    )
