"""The log as a stream: positions of events, streams, batches that failed, activity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

from tenantry.models.base import Json

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ACTIVE = sa.text("status = 'active'")


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=nullable) for name in names]


def _times(*names: str, nullable: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, UTCDateTime(), nullable=nullable) for name in names]


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def upgrade() -> None:
    op.add_column(
        "log_events", sa.Column("position", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.create_index("log_events_position", "log_events", ["tenant_id", "position", "id"])
    op.create_table(
        "log_streams",
        *_texts("tenant_id", "id"),
        *_counts("revision"),
        *_times("created_at", "updated_at"),
        *_texts("name", "url", "secret"),
        sa.Column("event_types", Json, nullable=False),
        *_texts("status"),
        sa.Column("position", sa.BigInteger(), nullable=False),
        *_texts("event_id"),
        *_texts("batch_id", nullable=True),
        sa.Column("batch_position", sa.BigInteger(), nullable=True),
        *_texts("batch_event_id", nullable=True),
        *_counts("attempts", "failed_batches"),
        *_times("due_at"),
        *_texts("lease", nullable=True),
        *_times("last_delivered_at", "last_failed_at", nullable=True),
        *_texts("last_error", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("log_streams_name", "log_streams", ["tenant_id", "name"], unique=True)
    op.create_index(
        "log_streams_due", "log_streams", ["due_at"], postgresql_where=ACTIVE, sqlite_where=ACTIVE
    )
    op.create_table(
        "log_stream_failures",
        *_texts("tenant_id", "id", "stream_id", "payload"),
        *_counts("event_count", "attempts"),
        *_texts("error"),
        *_times("created_at"),
        *_times("redelivery_at", nullable=True),
        *_times("expires_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "log_stream_failures_stream", "log_stream_failures", ["tenant_id", "stream_id", "id"]
    )
    op.create_index("log_stream_failures_expiry", "log_stream_failures", ["expires_at"])
    op.create_table(
        "activity_days",
        *_texts("tenant_id", "id"),
        *_counts("active_users", "sign_ups", "logins", "failed_logins"),
        *_times("expires_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("activity_days_expiry", "activity_days", ["expires_at"])
    op.create_table(
        "active_users",
        *_texts("tenant_id", "day", "user_id"),
        *_times("expires_at"),
        sa.PrimaryKeyConstraint("tenant_id", "day", "user_id"),
    )
    op.create_index("active_users_expiry", "active_users", ["expires_at"])
