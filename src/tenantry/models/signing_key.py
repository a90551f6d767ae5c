from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel


class SigningKey(SQLModel, table=True):
    """A signing key. `slot` is its state while it is live, and its `kid` once revoked."""

    __tablename__ = "signing_keys"
    __table_args__ = (Index("signing_keys_slot", "tenant_id", "alg", "slot", unique=True),)
    tenant_id: str = Field(primary_key=True)
    kid: str = Field(primary_key=True)
    alg: str
    state: str
    slot: str
    public_key: str
    certificate: str
    private_key: str | None
    created_at: datetime
    current_since: datetime | None
    revoked_at: datetime | None
