"""Pushed and encrypted authorization requests, and answers that are JWTs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "pushed_requests",
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("tenant_id", "digest", "issuer", "client_id")
        ),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("consumed_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "digest"),
    )
    op.create_index("pushed_requests_expiry", "pushed_requests", ["expires_at"])
    for name, default in (
        ("pushed_authorization_requests_supported", sa.true()),
        ("request_object_encryption_supported", sa.false()),
    ):
        op.add_column(
            "tenants", sa.Column(name, sa.Boolean(), nullable=False, server_default=default)
        )
    op.create_table(
        "encryption_keys",
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("tenant_id", "kid", "state", "private_key")
        ),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kid"),
    )
    op.create_index("encryption_keys_state", "encryption_keys", ["tenant_id", "state"], unique=True)
    op.add_column(
        "applications",
        sa.Column(
            "require_pushed_authorization_requests",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
        ),
    )
    for name in ("pushed_authorization_request_lifetime", "request_object_lifetime"):
        op.add_column("applications", sa.Column(name, sa.Integer(), nullable=True))
    op.add_column(
        "applications",
        sa.Column(
            "authorization_signed_response_alg",
            sa.String(),
            nullable=False,
            server_default="RS256",
        ),
    )
    for name in ("alg", "enc"):
        op.add_column(
            "applications",
            sa.Column(f"authorization_encrypted_response_{name}", sa.String(), nullable=True),
        )
