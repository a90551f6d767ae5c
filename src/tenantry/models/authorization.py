from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Index

from tenantry.models.base import TenantRow, json_field


class Authorization(TenantRow, table=True):
    """One authorization, from the request to the redeemed code. Login and consent are steps."""

    __tablename__ = "authorizations"
    __table_args__ = (
        Index("authorizations_handle", "tenant_id", "handle_digest", unique=True),
        Index("authorizations_code", "tenant_id", "code_digest", unique=True),
        Index("authorizations_expiry", "expires_at"),
    )
    state: str
    issuer: str
    client_id: str
    request: dict[str, Any] = json_field()
    handle_digest: str | None
    browser_digest: str | None
    session_id: str | None
    user_id: str | None
    auth_time: datetime | None
    authenticated_at: datetime | None
    account_chosen: bool
    consented: bool
    confirmed: bool
    scopes: list[str] = json_field()
    code_digest: str | None
    code_expires_at: datetime | None
    consumed_at: datetime | None
    family_id: str | None
    created_at: datetime
    expires_at: datetime
