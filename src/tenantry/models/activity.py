from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel

from tenantry.models.base import TenantRow


class ActivityDay(TenantRow, table=True):
    """What happened in a tenant on one day of UTC. `id` is the day, such as 2030-01-31."""

    __tablename__ = "activity_days"
    __table_args__ = (Index("activity_days_expiry", "expires_at"),)
    active_users: int
    sign_ups: int
    logins: int
    failed_logins: int
    expires_at: datetime


class ActiveUser(SQLModel, table=True):
    """That a user was active on a day."""

    __tablename__ = "active_users"
    __table_args__ = (Index("active_users_expiry", "expires_at"),)
    tenant_id: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    expires_at: datetime
