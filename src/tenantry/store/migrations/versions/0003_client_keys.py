"""Client keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in (
        "jwks",
        "jwks_uri",
        "token_endpoint_auth_signing_alg",
        "request_object_signing_alg",
        "secret_envelope",
    ):
        op.add_column("applications", sa.Column(name, sa.String(), nullable=True))
    op.add_column(
        "applications",
        sa.Column(
            "request_uris",
            sa.JSON().with_variant(JSONB(), "postgresql"),
            nullable=False,
            server_default="[]",
        ),
    )
    op.create_table(
        "replay_identifiers",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "digest"),
    )
    op.create_index("replay_identifiers_expiry", "replay_identifiers", ["expires_at"])
