"""Readiness checks that somebody has dismissed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    texts = ("tenant_id", "application_id", "check_name", "reason", "dismissed_by")
    op.create_table(
        "readiness_dismissals",
        *(sa.Column(name, sa.String(), nullable=False) for name in texts),
        sa.Column("dismissed_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "application_id", "check_name"),
    )
    op.create_index(
        "readiness_dismissals_expires_at",
        "readiness_dismissals",
        ["expires_at"],
        postgresql_where=sa.text("expires_at IS NOT NULL"),
        sqlite_where=sa.text("expires_at IS NOT NULL"),
    )
