"""Tenants: where a sign-in begins, and what the parameter `resource` may say."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenants", sa.Column("initiate_login_uri", sa.String(), nullable=True))
    profile = sa.Column(
        "resource_parameter_profile", sa.String(), nullable=False, server_default=sa.text("'one'")
    )
    op.add_column("tenants", profile)
