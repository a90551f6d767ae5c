"""Further grants: device codes, bounded attempts, token exchange."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "device_codes",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("device_code_digest", sa.String(), nullable=False),
        sa.Column("user_code_digest", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=True),
        sa.Column("requested_scopes", JSON, nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("user_id", sa.String(), nullable=True),
        sa.Column("auth_time", UTCDateTime(), nullable=True),
        sa.Column("poll_interval", sa.Integer(), nullable=False),
        sa.Column("polled_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    for name, column in (
        ("device_codes_device_code", "device_code_digest"),
        ("device_codes_user_code", "user_code_digest"),
    ):
        op.create_index(name, "device_codes", ["tenant_id", column], unique=True)
    op.create_index("device_codes_expiry", "device_codes", ["expires_at"])
    op.create_table(
        "attempts",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "subject"),
    )
    op.create_index("attempts_expiry", "attempts", ["expires_at"])
    op.create_table(
        "trusted_issuers",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("jwks", sa.String(), nullable=True),
        sa.Column("jwks_uri", sa.String(), nullable=True),
        sa.Column("allowed_audiences", JSON, nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "trusted_issuers_issuer", "trusted_issuers", ["tenant_id", "issuer"], unique=True
    )
    for name, default in (
        ("device_user_code_charset", "base20"),
        ("device_user_code_mask", "****-****"),
    ):
        op.add_column(
            "tenants", sa.Column(name, sa.String(), nullable=False, server_default=default)
        )
    op.add_column(
        "applications",
        sa.Column("token_exchange_audiences", JSON, nullable=False, server_default="[]"),
    )
