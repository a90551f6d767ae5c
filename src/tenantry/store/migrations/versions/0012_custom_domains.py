"""Custom domains, and which tenant each host is."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

from tenantry.models.base import Json

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def texts(names: str, *, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String(), nullable=nullable) for name in names.split()]


def upgrade() -> None:
    op.create_table(
        "custom_domains",
        *texts("tenant_id id"),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        *texts("domain type status verification_value"),
        sa.Column("verified_at", UTCDateTime(), nullable=True),
        *texts("custom_client_ip_header", nullable=True),
        sa.Column("domain_metadata", Json, nullable=False),
        *texts("jwks edge_key_digest", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("custom_domains_domain", "custom_domains", ["tenant_id", "domain"], unique=True)
    op.create_table(
        "verified_domains",
        *texts("domain owner_id custom_domain_id"),
        sa.PrimaryKeyConstraint("domain"),
    )
    op.create_index("verified_domains_owner", "verified_domains", ["owner_id"])
