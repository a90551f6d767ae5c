from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel

from tenantry.models.base import TenantRow


class TokenFamily(TenantRow, table=True):
    """The tokens that came from one authorization; they end together."""

    __tablename__ = "token_families"
    __table_args__ = (
        Index("token_families_user", "tenant_id", "user_id"),
        Index("token_families_expiry", "expires_at"),
    )
    client_id: str
    user_id: str
    session_id: str | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


class AccessToken(SQLModel, table=True):
    """Which family an access token belongs to; the token is kept as its SHA-256."""

    __tablename__ = "access_tokens"
    __table_args__ = (Index("access_tokens_expiry", "expires_at"),)
    tenant_id: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    family_id: str
    expires_at: datetime
