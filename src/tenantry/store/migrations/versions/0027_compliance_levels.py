"""The compliance level of an application."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("applications", sa.Column("compliance_level", sa.String(), nullable=True))
