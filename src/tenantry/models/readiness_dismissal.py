from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel

from tenantry.models.base import only_where


class ReadinessDismissal(SQLModel, table=True):
    """A readiness check of the tenant, or of an application, that need not be passed."""

    __tablename__ = "readiness_dismissals"
    __table_args__ = (
        Index(
            "readiness_dismissals_expires_at", "expires_at", **only_where("expires_at IS NOT NULL")
        ),
    )
    tenant_id: str = Field(primary_key=True)
    application_id: str = Field(primary_key=True)
    check_name: str = Field(primary_key=True)
    reason: str
    dismissed_by: str
    dismissed_at: datetime
    expires_at: datetime | None
