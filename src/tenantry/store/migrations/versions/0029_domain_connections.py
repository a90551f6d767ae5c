"""Connections at domain level, those of third-party applications."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    name = "is_domain_connection"
    op.add_column(
        "connections",
        sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    connections = sa.table(
        "connections", *(sa.column(name) for name in ("id", "tenant_id", "is_domain_connection"))
    )
    enabled = sa.table(
        "connection_applications",
        *(sa.column(name) for name in ("tenant_id", "application_id", "connection_id")),
    )
    applications = sa.table(
        "applications", *(sa.column(name) for name in ("id", "tenant_id", "is_first_party"))
    )
    # Who signed in to a third-party application until now can do so still.
    used = sa.exists().where(
        enabled.c.tenant_id == connections.c.tenant_id,
        enabled.c.connection_id == connections.c.id,
        applications.c.tenant_id == enabled.c.tenant_id,
        applications.c.id == enabled.c.application_id,
        applications.c.is_first_party == sa.false(),
    )
    op.execute(connections.update().where(used).values(is_domain_connection=sa.true()))
