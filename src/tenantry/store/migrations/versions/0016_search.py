"""Users: terms to find them by, and indexes for their lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tenantry.rules.user_search import SOURCES, terms

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BATCH = 1_000


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    ordered = sa.String(collation="C") if on_postgresql else sa.String()
    op.create_table(
        "user_search_terms",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("term", ordered, nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "term", "user_id"),
        sqlite_with_rowid=False,
    )
    _index_users()
    op.create_index("user_search_terms_user", "user_search_terms", ["tenant_id", "user_id", "term"])
    op.create_index(
        "users_blocked",
        "users",
        ["tenant_id", "id"],
        postgresql_where=sa.text("blocked IS TRUE"),
        sqlite_where=sa.text("blocked IS 1"),
    )
    if on_postgresql:
        op.alter_column("users", "email_key", type_=ordered, existing_type=sa.String())


def _index_users() -> None:
    """Writes the terms of those who are there."""
    metadata = sa.MetaData()
    connection = op.get_bind()
    users = sa.Table("users", metadata, autoload_with=connection)
    search_terms = sa.Table("user_search_terms", metadata, autoload_with=connection)
    columns = [users.c[name] for name in ("tenant_id", "id", *SOURCES)]
    place = ("", "")
    while True:
        rows = (
            connection.execute(
                sa.select(*columns)
                .where(sa.tuple_(users.c.tenant_id, users.c.id) > sa.tuple_(*place))
                .order_by(users.c.tenant_id, users.c.id)
                .limit(BATCH)
            )
            .mappings()
            .all()
        )
        found = [
            {"tenant_id": row["tenant_id"], "term": term, "user_id": row["id"]}
            for row in rows
            for term in sorted(terms({name: row[name] for name in SOURCES}))
        ]
        if found:
            connection.execute(sa.insert(search_terms), found)
        if len(rows) < BATCH:
            return
        place = (rows[-1]["tenant_id"], rows[-1]["id"])
