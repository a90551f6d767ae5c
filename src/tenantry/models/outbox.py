from __future__ import annotations

from datetime import datetime

from sqlmodel import Index

from tenantry.models.base import TenantRow, only_where


class Delivery(TenantRow, table=True):
    """A message that waits to be sent. `due_at` is also the end of the lease of who sends it."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("deliveries_due", "due_at", **only_where("state = 'waiting'")),
        Index("deliveries_expiry", "expires_at"),
    )
    kind: str
    state: str
    payload: str
    attempts: int
    last_error: str | None = None
    created_at: datetime
    due_at: datetime
    expires_at: datetime
