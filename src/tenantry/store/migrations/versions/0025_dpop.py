"""Tokens that are bound to keys: who must, and to what they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    for table, name in (
        ("applications", "dpop_bound_access_tokens"),
        ("tenants", "require_dpop_nonce"),
    ):
        op.add_column(
            table, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.add_column("resource_servers", sa.Column("proof_of_possession", sa.String(), nullable=True))
    for table in ("access_tokens", "refresh_tokens"):
        op.add_column(table, sa.Column("confirmation", JSON, nullable=True))
