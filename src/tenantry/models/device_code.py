from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel

from tenantry.models.base import TenantRow, json_field


class DeviceCode(TenantRow, table=True):
    """A device that waits for a person, from its request to its tokens."""

    __tablename__ = "device_codes"
    __table_args__ = (
        Index("device_codes_device_code", "tenant_id", "device_code_digest", unique=True),
        Index("device_codes_user_code", "tenant_id", "user_code_digest", unique=True),
        Index("device_codes_expiry", "expires_at"),
    )
    state: str
    issuer: str
    client_id: str
    device_code_digest: str
    user_code_digest: str
    audience: str | None
    requested_scopes: list[str] = json_field()
    scopes: list[str] = json_field()
    user_id: str | None
    auth_time: datetime | None
    poll_interval: int
    polled_at: datetime | None
    created_at: datetime
    expires_at: datetime


class Attempt(SQLModel, table=True):
    """How often something was tried within a window, such as a password for one name."""

    __tablename__ = "attempts"
    __table_args__ = (Index("attempts_expiry", "expires_at"),)
    tenant_id: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    count: int
    expires_at: datetime
