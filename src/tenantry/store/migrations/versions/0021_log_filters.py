"""Indexes for the events about one user and about one object."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _index("log_events_user", ["tenant_id", "user_id", "id"], "user_id IS NOT NULL")
    _index("log_events_target", ["tenant_id", "target_id", "id"], "target_id IS NOT NULL")


def _index(name: str, columns: list[str], only_where: str) -> None:
    condition = sa.text(only_where)
    op.create_index(name, "log_events", columns, postgresql_where=condition, sqlite_where=condition)
