"""A tenant's own error page, and applications that say for whom they ask."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenants", sa.Column("error_page_url", sa.String(), nullable=True))
    op.add_column(
        "applications",
        sa.Column(
            "is_token_endpoint_ip_header_trusted",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
        ),
    )
