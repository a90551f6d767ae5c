"""Which programs on devices open the tenant's links."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    for name in ("android_app_package_name", "ios_team_id", "ios_app_bundle_identifier"):
        op.add_column("applications", sa.Column(name, sa.String(), nullable=True))
    op.add_column(
        "applications",
        sa.Column("android_sha256_cert_fingerprints", JSON, nullable=False, server_default="[]"),
    )
