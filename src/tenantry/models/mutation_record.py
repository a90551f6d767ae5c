from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel


class MutationRecord(SQLModel, table=True):
    """The answer of a mutation that was sent with an idempotency key, sealed under that key."""

    __tablename__ = "mutation_records"
    __table_args__ = (Index("mutation_records_expiry", "expires_at"),)
    tenant_id: str = Field(primary_key=True)
    caller: str = Field(primary_key=True)
    key_digest: str = Field(primary_key=True)
    path: str = Field(primary_key=True)
    body_digest: str
    answer: bytes | None
    expires_at: datetime
