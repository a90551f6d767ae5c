"""Client certificates: names of them as credentials, and what applications say of theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("credentials") as credentials:
        credentials.add_column(sa.Column("subject_dn", sa.String(), nullable=True))
        for name in ("alg", "jwk"):
            credentials.alter_column(name, existing_type=sa.String(), nullable=True)
    op.add_column(
        "applications",
        sa.Column(
            "tls_client_certificate_bound_access_tokens",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
        ),
    )
    for name in ("subject_dn", "san_dns", "san_uri", "san_ip", "san_email"):
        op.add_column(
            "applications", sa.Column(f"tls_client_auth_{name}", sa.String(), nullable=True)
        )
    op.add_column(
        "tenants",
        sa.Column(
            "enable_mtls_endpoint_aliases",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
        ),
    )
