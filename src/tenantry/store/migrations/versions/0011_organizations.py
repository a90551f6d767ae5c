"""Organizations: members, their roles, connections, invitations, and what applications may."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

from tenantry.models.base import Json

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def texts(names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names.split()]


def times(names: str, *, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, UTCDateTime(), nullable=nullable) for name in names.split()]


def flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def usage() -> sa.Column[Any]:
    return sa.Column(
        "organization_usage", sa.String(), nullable=False, server_default=sa.text("'deny'")
    )


def upgrade() -> None:
    op.create_table(
        "organizations",
        *texts("tenant_id id"),
        sa.Column("revision", sa.Integer(), nullable=False),
        *times("created_at updated_at"),
        *texts("name display_name"),
        sa.Column("logo_uri", sa.String(), nullable=True),
        sa.Column("organization_metadata", Json, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("organizations_name", "organizations", ["tenant_id", "name"], unique=True)
    op.create_table(
        "organization_members",
        *texts("tenant_id id organization_id user_id"),
        *times("created_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    pair = ["tenant_id", "organization_id", "user_id"]
    op.create_index("organization_members_pair", "organization_members", pair, unique=True)
    by_user = ["tenant_id", "user_id", "organization_id"]
    op.create_index("organization_members_user", "organization_members", by_user)
    op.create_table(
        "organization_member_roles",
        *texts("tenant_id organization_id user_id role_id"),
        sa.PrimaryKeyConstraint("tenant_id", "organization_id", "user_id", "role_id"),
    )
    op.create_index(
        "organization_member_roles_role", "organization_member_roles", ["tenant_id", "role_id"]
    )
    op.create_table(
        "organization_connections",
        *texts("tenant_id organization_id connection_id"),
        sa.Column("assign_membership_on_login", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "organization_id", "connection_id"),
    )
    op.create_index(
        "organization_connections_connection",
        "organization_connections",
        ["tenant_id", "connection_id"],
    )
    _invitations()
    op.create_table(
        "organization_grants",
        *texts("tenant_id client_grant_id organization_id"),
        sa.PrimaryKeyConstraint("tenant_id", "client_grant_id", "organization_id"),
    )
    op.create_index(
        "organization_grants_organization", "organization_grants", ["tenant_id", "organization_id"]
    )
    op.add_column("tenants", flag("allow_organization_name_in_authentication_api"))
    op.add_column("applications", usage())
    behavior = sa.Column(
        "organization_require_behavior",
        sa.String(),
        nullable=False,
        server_default=sa.text("'no_prompt'"),
    )
    op.add_column("applications", behavior)
    op.add_column("client_grants", usage())
    op.add_column("client_grants", flag("allow_any_organization"))
    op.add_column("token_families", sa.Column("organization_id", sa.String(), nullable=True))


def _invitations() -> None:
    op.create_table(
        "organization_invitations",
        *texts("tenant_id id organization_id client_id inviter_name invitee_email"),
        sa.Column("role_ids", Json, nullable=False),
        *texts("ticket_digest"),
        *times("created_at expires_at"),
        *times("accepted_at", nullable=True),
        sa.Column("accepted_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "organization_invitations_ticket",
        "organization_invitations",
        ["tenant_id", "ticket_digest"],
        unique=True,
    )
    op.create_index(
        "organization_invitations_organization",
        "organization_invitations",
        ["tenant_id", "organization_id", "id"],
    )
    op.create_index("organization_invitations_expiry", "organization_invitations", ["expires_at"])
