from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel

from tenantry.models.base import TenantRow, json_field, only_where


class Job(TenantRow, table=True):
    """Bulk work. `due_at` is the end of what the state lasts at most: the upload's address, or
    the lease of who receives or runs it. `scopes` are those of the token that asked for it.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_due", "due_at", **only_where("finished_at IS NULL")),
        Index("jobs_expiry", "expires_at"),
    )
    created_at: datetime
    kind: str
    state: str
    error_policy: str
    connection: str | None
    upsert: bool
    scopes: list[str] = json_field()
    actor_kind: str
    actor_id: str
    actor_name: str
    actor_tenant_id: str
    client_id: str
    ip: str
    user_agent: str
    request_id: str
    upload_digest: str | None
    upload_expires_at: datetime | None
    lease: str | None
    due_at: datetime
    attempts: int
    total: int | None
    done: int
    failed: int
    error: str | None
    last_user_id: str | None
    started_at: datetime | None
    finished_at: datetime | None
    secrets_shown_at: datetime | None
    expires_at: datetime


class JobChunk(SQLModel, table=True):
    """Some lines of a job and what became of them, each sealed. `number` counts from 0."""

    __tablename__ = "job_chunks"
    __table_args__ = (Index("job_chunks_expiry", "expires_at"),)
    tenant_id: str = Field(primary_key=True)
    job_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    first_line: int
    lines: str | None
    results: str | None
    secrets: str | None
    expires_at: datetime
