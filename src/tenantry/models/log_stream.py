from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, Index

from tenantry.models.base import StoredRow, TenantRow, json_field, only_where


class LogStream(StoredRow, table=True):
    """A webhook that is sent the audit log.

    `position` and `event_id` are the last event that is done with; `batch_position` and
    `batch_event_id` end the batch `batch_id`, which is kept together until it is done with.
    `due_at` is also the end of the lease of who sends it; `lease` tells leases apart.
    """

    __tablename__ = "log_streams"
    __table_args__ = (
        Index("log_streams_name", "tenant_id", "name", unique=True),
        Index("log_streams_due", "due_at", **only_where("status = 'active'")),
    )
    name: str
    url: str
    secret: str
    event_types: list[str] = json_field()
    status: str
    position: int = Field(sa_type=BigInteger)
    event_id: str
    batch_id: str | None
    batch_position: int | None = Field(sa_type=BigInteger)
    batch_event_id: str | None
    attempts: int
    failed_batches: int
    due_at: datetime
    lease: str | None
    last_delivered_at: datetime | None
    last_failed_at: datetime | None
    last_error: str | None


class LogStreamFailure(TenantRow, table=True):
    """A batch that could not be delivered. `payload` is what is sent; `id` is the message's id."""

    __tablename__ = "log_stream_failures"
    __table_args__ = (
        Index("log_stream_failures_stream", "tenant_id", "stream_id", "id"),
        Index("log_stream_failures_expiry", "expires_at"),
    )
    stream_id: str
    payload: str
    event_count: int
    attempts: int
    error: str
    created_at: datetime
    redelivery_at: datetime | None
    expires_at: datetime
