"""Registration: the tenant's switch, and what an application registers of itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column(
        "tenants",
        sa.Column(
            "enable_dynamic_client_registration",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
        ),
    )
    for name in ("response_types", "contacts"):
        op.add_column("applications", sa.Column(name, JSON, nullable=False, server_default="[]"))
    for name in (
        "scope",
        "client_uri",
        "software_id",
        "software_version",
        "registration_token_digest",
    ):
        op.add_column("applications", sa.Column(name, sa.String(), nullable=True))
    op.add_column(
        "applications",
        sa.Column(
            "is_dynamically_registered", sa.Boolean(), nullable=False, server_default=sa.false()
        ),
    )
