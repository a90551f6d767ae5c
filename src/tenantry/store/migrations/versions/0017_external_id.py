"""Applications: a name that is the same in every environment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "applications",
        sa.Column("external_id", sa.String(), nullable=False, server_default=sa.text("''")),
    )
    op.execute("UPDATE applications SET external_id = client_id")
    op.create_index(
        "applications_external_id",
        "applications",
        ["tenant_id", "external_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NULL"),
    )
