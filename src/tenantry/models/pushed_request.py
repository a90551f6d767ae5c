from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel

from tenantry.models.base import json_field


class PushedRequest(SQLModel, table=True):
    """An authorization request that an application pushed, until somebody begins with it.

    `consumed_at` is when that was. The row stays as long as a sign-in may last from there on.
    """

    __tablename__ = "pushed_requests"
    __table_args__ = (Index("pushed_requests_expiry", "expires_at"),)
    tenant_id: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    issuer: str
    client_id: str
    parameters: list[list[str]] = json_field()
    consumed_at: datetime | None
    created_at: datetime
    expires_at: datetime
