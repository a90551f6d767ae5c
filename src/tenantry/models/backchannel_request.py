from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Index

from tenantry.models.base import TenantRow, json_field


class BackchannelRequest(TenantRow, table=True):
    """A request to a person at another device, from its begin to its tokens (CIBA Core)."""

    __tablename__ = "backchannel_requests"
    __table_args__ = (
        Index("backchannel_requests_request", "tenant_id", "request_digest", unique=True),
        Index("backchannel_requests_ticket", "tenant_id", "ticket_digest", unique=True),
        Index("backchannel_requests_user", "tenant_id", "user_id", "id"),
        Index("backchannel_requests_expiry", "expires_at"),
    )
    state: str
    issuer: str
    client_id: str
    user_id: str
    organization_id: str | None
    audience: str | None
    requested_scopes: list[str] = json_field()
    scopes: list[str] = json_field()
    acr_values: list[str] = json_field()
    authorization_details: list[dict[str, Any]] = json_field()
    binding_message: str | None
    channel: str
    request_digest: str
    ticket_digest: str | None
    ping_envelope: str | None
    auth_time: datetime | None
    amr: list[str] = json_field()
    poll_interval: int
    polled_at: datetime | None
    created_at: datetime
    expires_at: datetime
