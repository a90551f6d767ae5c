"""Roles, encrypted and HS256 access tokens, metadata, custom claims."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def texts(names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names.split()]


def json(name: str, default: str | None) -> sa.Column[Any]:
    """A column that says `default` in the rows that are there; None makes it nullable."""
    type_ = sa.JSON().with_variant(JSONB(), "postgresql")
    return sa.Column(name, type_, nullable=default is None, server_default=default)


def upgrade() -> None:
    op.create_table(
        "roles",
        *texts("tenant_id id"),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        *texts("name description"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("roles_name", "roles", ["tenant_id", "name"], unique=True)
    op.create_table(
        "role_permissions",
        *texts("tenant_id role_id audience scope"),
        sa.PrimaryKeyConstraint("tenant_id", "role_id", "audience", "scope"),
    )
    op.create_table(
        "user_roles",
        *texts("tenant_id user_id role_id"),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", "role_id"),
    )
    op.create_index("user_roles_role", "user_roles", ["tenant_id", "role_id", "user_id"])
    op.add_column("applications", json("application_metadata", "{}"))
    op.add_column("applications", json("claim_mappings", "[]"))
    op.add_column("tenants", json("claim_mappings", "[]"))
    op.add_column("users", json("user_metadata", "{}"))
    op.add_column("users", json("app_metadata", "{}"))
    op.add_column("resource_servers", json("token_encryption", None))
    op.add_column("resource_servers", sa.Column("signing_secret", sa.String(), nullable=True))
    op.add_column(
        "resource_servers",
        sa.Column("token_lifetime_for_web", sa.Integer(), nullable=False, server_default="86400"),
    )
    op.execute(
        "UPDATE resource_servers SET token_lifetime_for_web = token_lifetime"
        " WHERE token_lifetime < 86400"
    )
