from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel


class EncryptionKey(SQLModel, table=True):
    """A key that request objects are encrypted to: the current one, and one that is set aside."""

    __tablename__ = "encryption_keys"
    __table_args__ = (Index("encryption_keys_state", "tenant_id", "state", unique=True),)
    tenant_id: str = Field(primary_key=True)
    kid: str = Field(primary_key=True)
    state: str
    private_key: str
    created_at: datetime
