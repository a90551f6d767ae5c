"""What Alembic runs. `tenantry.store.migrate` hands it the connection, in a transaction."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

from tenantry.store.tables import metadata


def _render(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """The types of a new revision, under the names that `script.py.mako` imports."""
    if kind == "type":
        for type_, text in (
            (AutoString, "sa.String()"),
            (UTCDateTime, "UTCDateTime()"),
            (JSON, 'sa.JSON().with_variant(JSONB(), "postgresql")'),
        ):
            if isinstance(item, type_):
                return text
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
