"""What the tables share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

Json = JSON().with_variant(JSONB(), "postgresql")
OrderedText = String().with_variant(String(collation="C"), "postgresql")
"""Ordered by code points on both databases, so that what begins alike is one range."""


def json_field() -> Any:
    """A JSON column: lists and objects, JSONB on PostgreSQL."""
    return Field(sa_type=Json, nullable=False)


def only_where(condition: str, on_sqlite: str = "") -> dict[str, Any]:
    """Options of an index that holds only the rows of `condition`."""
    return {"postgresql_where": text(condition), "sqlite_where": text(on_sqlite or condition)}


class TenantRow(SQLModel):
    """A row of a tenant, found by the tenant first."""

    tenant_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)


class StoredRow(TenantRow):
    """A row that the management API shows and changes."""

    revision: int
    created_at: datetime
    updated_at: datetime
