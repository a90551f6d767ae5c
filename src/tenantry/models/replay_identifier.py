from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel


class ReplayIdentifier(SQLModel, table=True):
    """That a message was seen whose identifier may be used once; kept until it has expired."""

    __tablename__ = "replay_identifiers"
    __table_args__ = (Index("replay_identifiers_expiry", "expires_at"),)
    tenant_id: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    expires_at: datetime
