"""Whom the pairwise names of applications mean, and approval links that ask for no sign-in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pairwise_subjects",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("tenant_id", "subject")),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "subject"),
    )
    op.create_index("pairwise_subjects_user", "pairwise_subjects", ["tenant_id", "user_id"])
    op.add_column(
        "tenants",
        sa.Column(
            "require_login_for_approval_links",
            sa.Boolean(),
            nullable=False,
            server_default=sa.true(),
        ),
    )
