"""Bulk work: jobs, and their lines in chunks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

from tenantry.models.base import Json

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

UNFINISHED = sa.text("finished_at IS NULL")


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=nullable) for name in names]


def _times(*names: str, nullable: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, UTCDateTime(), nullable=nullable) for name in names]


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "jobs",
        *_texts("tenant_id", "id"),
        *_times("created_at"),
        *_texts("kind", "state", "error_policy"),
        *_texts("connection", nullable=True),
        sa.Column("upsert", sa.Boolean(), nullable=False),
        sa.Column("scopes", Json, nullable=False),
        *_texts("actor_kind", "actor_id", "actor_name", "actor_tenant_id", "client_id"),
        *_texts("ip", "user_agent", "request_id"),
        *_texts("upload_digest", nullable=True),
        *_times("upload_expires_at", nullable=True),
        *_texts("lease", nullable=True),
        *_times("due_at"),
        *_counts("attempts"),
        sa.Column("total", sa.Integer(), nullable=True),
        *_counts("done", "failed"),
        *_texts("error", "last_user_id", nullable=True),
        *_times("started_at", "finished_at", "secrets_shown_at", nullable=True),
        *_times("expires_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "jobs_due", "jobs", ["due_at"], postgresql_where=UNFINISHED, sqlite_where=UNFINISHED
    )
    op.create_index("jobs_expiry", "jobs", ["expires_at"])
    op.create_table(
        "job_chunks",
        *_texts("tenant_id", "job_id"),
        *_counts("number", "first_line"),
        *_texts("lines", "results", "secrets", nullable=True),
        *_times("expires_at"),
        sa.PrimaryKeyConstraint("tenant_id", "job_id", "number"),
    )
    op.create_index("job_chunks_expiry", "job_chunks", ["expires_at"])
