"""Authorization requests: what they may ask, how sessions began, pairwise subjects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    def text(table: str, name: str, default: str | None = None) -> None:
        nullable = default is None
        op.add_column(
            table, sa.Column(name, sa.String(), nullable=nullable, server_default=default)
        )

    def flag(table: str, name: str, default: bool | None = None) -> None:
        server_default = None if default is None else sa.true() if default else sa.false()
        op.add_column(
            table,
            sa.Column(name, sa.Boolean(), nullable=default is None, server_default=server_default),
        )

    def values(table: str, name: str, default: str = "[]") -> None:
        op.add_column(table, sa.Column(name, _JSON, nullable=False, server_default=default))

    text("applications", "userinfo_signed_response_alg")
    op.add_column("applications", sa.Column("default_max_age", sa.Integer(), nullable=True))
    flag("applications", "require_auth_time", default=True)
    values("applications", "default_acr_values")
    text("applications", "subject_type", "public")
    text("applications", "sector_identifier_uri")
    flag("applications", "non_verifiable_callback_confirmation")
    values("tenants", "acr_values_supported")
    flag("tenants", "non_verifiable_callback_confirmation", default=True)
    flag("authorizations", "account_chosen", default=False)
    flag("authorizations", "confirmed", default=False)
    # Every session until now began with a password.
    values("sessions", "amr", '["pwd"]')
    op.add_column("token_families", sa.Column("claims", _JSON, nullable=True))
