from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, Index, SQLModel

from tenantry.models.base import Json, TenantRow, json_field


class TokenFamily(TenantRow, table=True):
    """The tokens that came from one authorization; they end together."""

    __tablename__ = "token_families"
    __table_args__ = (
        Index("token_families_user", "tenant_id", "user_id"),
        Index("token_families_expiry", "expires_at"),
    )
    client_id: str
    user_id: str
    organization_id: str | None
    session_id: str | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    claims: dict[str, Any] | None = Field(default=None, sa_type=Json)


class AccessToken(SQLModel, table=True):
    """Which family an access token belongs to; the token is kept as its SHA-256.

    `content` is what a token says that its API alone can read.
    """

    __tablename__ = "access_tokens"
    __table_args__ = (Index("access_tokens_expiry", "expires_at"),)
    tenant_id: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    family_id: str
    expires_at: datetime
    confirmation: dict[str, str] | None = Field(default=None, sa_type=Json)
    content: dict[str, Any] | None = Field(default=None, sa_type=Json)


class RefreshToken(SQLModel, table=True):
    """What the refresh tokens of a family may do, and which generation is the newest."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index("refresh_tokens_expiry", "expires_at"),)
    tenant_id: str = Field(primary_key=True)
    family_id: str = Field(primary_key=True)
    issuer: str
    audience: str | None
    scopes: list[str] = json_field()
    authorization_details: list[dict[str, Any]] = json_field()
    auth_time: datetime
    generation: int
    rotated_at: datetime
    created_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    confirmation: dict[str, str] | None = Field(default=None, sa_type=Json)


class RevokedToken(SQLModel, table=True):
    """An access token of an application that was revoked before its time, as its digest."""

    __tablename__ = "revoked_tokens"
    __table_args__ = (Index("revoked_tokens_expiry", "expires_at"),)
    tenant_id: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    expires_at: datetime
