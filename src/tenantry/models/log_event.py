from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, Index

from tenantry.models.base import TenantRow, json_field, only_where


class LogEvent(TenantRow, table=True):
    """One row of the audit log.

    `position` orders transactions as they became visible, which the time of an event does not.
    """

    __tablename__ = "log_events"
    __table_args__ = (
        Index("log_events_type", "tenant_id", "type", "id"),
        # Most events are of machines, and about no object.
        Index("log_events_user", "tenant_id", "user_id", "id", **only_where("user_id IS NOT NULL")),
        Index(
            "log_events_target",
            "tenant_id",
            "target_id",
            "id",
            **only_where("target_id IS NOT NULL"),
        ),
        Index("log_events_expiry", "created_at"),
        Index("log_events_position", "tenant_id", "position", "id"),
    )
    type: str
    created_at: datetime
    actor_kind: str
    actor_id: str
    actor_tenant_id: str
    client_id: str | None
    user_id: str | None
    target_type: str | None
    target_id: str | None
    ip: str
    user_agent: str
    request_id: str
    details: dict[str, Any] = json_field()
    position: int = Field(sa_type=BigInteger)
