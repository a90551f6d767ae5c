"""Backchannel authentication as it is stored: who is asked, by what way, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tenantry.core.authorization_details import Details


class BackchannelTokenDeliveryMode(StrEnum):
    """How an application learns that a person has answered (CIBA Core §5)."""

    POLL = "poll"
    PING = "ping"


class NotificationChannel(StrEnum):
    """By what way a person hears of a request."""

    PUSH = "push"
    EMAIL = "email"


class BackchannelRequestState(StrEnum):
    """`pending` waits for the person, `approved` for the application; the others are ends."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    REDEEMED = "redeemed"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackchannelRequestFacts:
    """`requested_scopes` is what the application asked, `scopes` what the person allowed."""

    id: str
    state: BackchannelRequestState
    issuer: str
    client_id: str
    user_id: str
    organization_id: str | None
    audience: str | None
    requested_scopes: tuple[str, ...]
    scopes: tuple[str, ...]
    acr_values: tuple[str, ...]
    authorization_details: Details
    binding_message: str | None
    channel: NotificationChannel
    ping_envelope: str | None
    auth_time: datetime | None
    amr: tuple[str, ...]
    poll_interval: int
    polled_at: datetime | None
    created_at: datetime
    expires_at: datetime
