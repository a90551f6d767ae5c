"""Public keys of applications that are uploaded one by one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

from tenantry.models.base import Json

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "credentials",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("tenant_id", "id")),
        sa.Column("revision", sa.Integer(), nullable=False),
        *(sa.Column(name, UTCDateTime(), nullable=False) for name in ("created_at", "updated_at")),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("application_id", "name", "credential_type", "alg", "kid", "jwk")
        ),
        sa.Column("x5t_s256", sa.String(), nullable=True),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "credentials_kid", "credentials", ["tenant_id", "application_id", "kid"], unique=True
    )
    for name in ("client_authentication_credentials", "request_object_credentials"):
        op.add_column("applications", sa.Column(name, Json, nullable=False, server_default="[]"))
    required: sa.Column[bool] = sa.Column(
        "require_signed_request_object", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("applications", required)
