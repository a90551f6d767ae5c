"""Authorization details: their types, how people consent to them, what tokens carry of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    def add(table: str, name: str, kind: Any, default: Any) -> None:
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=default))

    add("resource_servers", "authorization_details", JSON, "[]")
    add("resource_servers", "require_pushed_authorization_details", sa.Boolean(), sa.true())
    add("resource_servers", "consent_policy", sa.String(), "standard")
    add("client_grants", "authorization_details_types", JSON, "[]")
    add("applications", "authorization_details_types", JSON, "[]")
    add("refresh_tokens", "authorization_details", JSON, "[]")
    op.add_column("tenants", sa.Column("customized_consent_template", sa.String(), nullable=True))
    op.add_column("tenants", sa.Column("management_max_age", sa.Integer(), nullable=True))
