"""Documents of the management API that run by their digest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trusted_documents",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("tenant_id", "id")),
        sa.Column("revision", sa.Integer(), nullable=False),
        *(sa.Column(name, UTCDateTime(), nullable=False) for name in ("created_at", "updated_at")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("name", "digest", "document")),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "trusted_documents_digest", "trusted_documents", ["tenant_id", "digest"], unique=True
    )
    only: sa.Column[bool] = sa.Column(
        "trusted_documents_only", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("tenants", only)
