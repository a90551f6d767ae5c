"""Logout: the outbox, who takes part in a session, logout addresses of applications."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    op.create_table(
        "deliveries",
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("tenant_id", "id", "kind", "state", "payload")
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        *(
            sa.Column(name, UTCDateTime(), nullable=False)
            for name in ("created_at", "due_at", "expires_at")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "deliveries_due",
        "deliveries",
        ["due_at"],
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    )
    op.create_index("deliveries_expiry", "deliveries", ["expires_at"])
    op.create_table(
        "session_clients",
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("tenant_id", "session_id", "client_id", "sid")
        ),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "session_id", "client_id", "sid"),
    )
    op.create_index("session_clients_expiry", "session_clients", ["expires_at"])
    for name in ("backchannel_logout", "frontchannel_logout"):
        op.add_column("applications", sa.Column(f"{name}_uri", sa.String(), nullable=True))
        op.add_column(
            "applications",
            sa.Column(
                f"{name}_session_required", sa.Boolean(), nullable=False, server_default=sa.false()
            ),
        )
    op.add_column("applications", sa.Column("logout_confirmation", sa.Boolean(), nullable=True))
