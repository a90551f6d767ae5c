from __future__ import annotations

from datetime import datetime

from sqlmodel import Index

from tenantry.models.base import TenantRow


class Session(TenantRow, table=True):
    """A sign-in of a browser. The cookie's value is kept as a digest."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index("sessions_digest", "tenant_id", "digest", unique=True),
        Index("sessions_user", "tenant_id", "user_id"),
        Index("sessions_expiry", "expires_at"),
    )
    digest: str
    issuer: str
    user_id: str
    connection_id: str
    auth_time: datetime
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
