"""Mail, and requests to people at another device (CIBA)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "kept_emails",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("kept_emails_expiry", "kept_emails", ["expires_at"])
    op.create_table(
        "backchannel_requests",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=True),
        sa.Column("audience", sa.String(), nullable=True),
        sa.Column("requested_scopes", JSON, nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("acr_values", JSON, nullable=False),
        sa.Column("authorization_details", JSON, nullable=False),
        sa.Column("binding_message", sa.String(), nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column("ticket_digest", sa.String(), nullable=True),
        sa.Column("ping_envelope", sa.String(), nullable=True),
        sa.Column("auth_time", UTCDateTime(), nullable=True),
        sa.Column("amr", JSON, nullable=False),
        sa.Column("poll_interval", sa.Integer(), nullable=False),
        sa.Column("polled_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    for name, column in (
        ("backchannel_requests_request", "request_digest"),
        ("backchannel_requests_ticket", "ticket_digest"),
    ):
        op.create_index(name, "backchannel_requests", ["tenant_id", column], unique=True)
    op.create_index(
        "backchannel_requests_user", "backchannel_requests", ["tenant_id", "user_id", "id"]
    )
    op.create_index("backchannel_requests_expiry", "backchannel_requests", ["expires_at"])
    op.add_column(
        "tenants", sa.Column("email_templates", JSON, nullable=False, server_default="[]")
    )
    for name in ("push_notification_url", "push_secret_envelope"):
        op.add_column("tenants", sa.Column(name, sa.String(), nullable=True))
    op.add_column(
        "applications",
        sa.Column(
            "async_approval_notification_channels",
            JSON,
            nullable=False,
            server_default='["email"]',
        ),
    )
    op.add_column(
        "applications",
        sa.Column(
            "backchannel_token_delivery_mode", sa.String(), nullable=False, server_default="poll"
        ),
    )
    for name in (
        "backchannel_client_notification_endpoint",
        "backchannel_authentication_request_signing_alg",
    ):
        op.add_column("applications", sa.Column(name, sa.String(), nullable=True))
    op.add_column(
        "applications",
        sa.Column(
            "backchannel_user_code_parameter",
            sa.Boolean(),
            nullable=False,
            server_default=sa.text("false"),
        ),
    )
    op.add_column("users", sa.Column("user_code_digest", sa.String(), nullable=True))
