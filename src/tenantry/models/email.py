from __future__ import annotations

from datetime import datetime

from sqlmodel import Index

from tenantry.models.base import TenantRow


class KeptEmail(TenantRow, table=True):
    """A message that a development server keeps in the place of sending it. `content` is sealed."""

    __tablename__ = "kept_emails"
    __table_args__ = (Index("kept_emails_expiry", "expires_at"),)
    content: str
    created_at: datetime
    expires_at: datetime
