from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Index

from tenantry.models.base import TenantRow, json_field


class LogEvent(TenantRow, table=True):
    """One row of the audit log."""

    __tablename__ = "log_events"
    __table_args__ = (
        Index("log_events_type", "tenant_id", "type", "id"),
        Index("log_events_expiry", "created_at"),
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
