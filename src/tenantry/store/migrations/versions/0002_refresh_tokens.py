"""Refresh tokens, and tokens that were revoked before their time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "refresh_tokens",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("tenant_id", "family_id")),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=True),
        sa.Column("scopes", _JSON, nullable=False),
        sa.Column("auth_time", UTCDateTime(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("rotated_at", UTCDateTime(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("idle_expires_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "family_id"),
    )
    op.create_index("refresh_tokens_expiry", "refresh_tokens", ["expires_at"])
    op.create_table(
        "revoked_tokens",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("tenant_id", "digest")),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "digest"),
    )
    op.create_index("revoked_tokens_expiry", "revoked_tokens", ["expires_at"])
    _add_flag("applications", "refresh_token_rotation", default=True)
    for name, default in (
        ("refresh_token_overlap", 10),
        ("refresh_token_lifetime", 2_592_000),
        ("refresh_token_idle_lifetime", 1_296_000),
    ):
        op.add_column(
            "applications",
            sa.Column(name, sa.Integer(), nullable=False, server_default=str(default)),
        )
    _add_flag("resource_servers", "allow_offline_access", default=False)
    _add_flag("tenants", "refresh_token_revocation_deletes_grant", default=False)


def _add_flag(table: str, name: str, *, default: bool) -> None:
    server_default = sa.true() if default else sa.false()
    op.add_column(
        table, sa.Column(name, sa.Boolean(), nullable=False, server_default=server_default)
    )
