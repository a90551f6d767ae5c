from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel

from tenantry.models.base import TenantRow, json_field


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
    amr: list[str] = json_field()
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


class SessionClient(SQLModel, table=True):
    """An application that took part in a session, under the `sid` that it was told.

    That is the id of an earlier session where the same person has signed in again since.
    """

    __tablename__ = "session_clients"
    __table_args__ = (Index("session_clients_expiry", "expires_at"),)
    tenant_id: str = Field(primary_key=True)
    session_id: str = Field(primary_key=True)
    client_id: str = Field(primary_key=True)
    sid: str = Field(primary_key=True)
    expires_at: datetime
