"""Requests to people at another device as the schema shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from tenantry.core.backchannel import (
    BackchannelRequestFacts,
    BackchannelRequestState,
    NotificationChannel,
)
from tenantry.management.ids import global_id
from tenantry.management.types.backchannel import STATE_ABOUT
from tenantry.management.types.common import Node, described, publish

ABOUT: Mapping[str, str] = {
    "state": STATE_ABOUT,
    "client_id": "The `clientId` of the application that asks.",
    "user_id": "The `userId` of who is asked.",
    "organization_id": "The id of the organization that the tokens are for, or null.",
    "audience": "The identifier of the API that the tokens are for; null for `/userinfo` alone.",
    "requested_scopes": "The scopes that the application asked for.",
    "scopes": "The scopes that were allowed; empty before.",
    "acr_values": "The authentication context classes that the application asked for.",
    "authorization_details": "The authorization details that the application asked for (RFC 9396).",
    "binding_message": "What both devices show, so that the user can compare; or null.",
    "channel": "By what way the user hears of it.",
    "auth_time": "When the user had proved who they are for the answer; null before.",
    "created_at": "When the application asked.",
    "expires_at": "When it ends, with or without an answer.",
}


@strawberry.type(
    description=(
        "What an application asks a user who is at another device (CIBA Core 1.0). It is removed "
        "soon after its end."
    )
)
class BackchannelRequest(Node):
    state: BackchannelRequestState = described(ABOUT, "state")
    client_id: str = described(ABOUT, "client_id")
    user_id: str = described(ABOUT, "user_id")
    organization_id: str | None = described(ABOUT, "organization_id")
    audience: str | None = described(ABOUT, "audience")
    requested_scopes: list[str] = described(ABOUT, "requested_scopes")
    scopes: list[str] = described(ABOUT, "scopes")
    acr_values: list[str] = described(ABOUT, "acr_values")
    authorization_details: list[JSON] = described(ABOUT, "authorization_details")
    binding_message: str | None = described(ABOUT, "binding_message")
    channel: NotificationChannel = described(ABOUT, "channel")
    auth_time: datetime | None = described(ABOUT, "auth_time")
    created_at: datetime = described(ABOUT, "created_at")
    expires_at: datetime = described(ABOUT, "expires_at")

    @classmethod
    def of(cls, facts: BackchannelRequestFacts, tenant_id: str) -> BackchannelRequest:
        id_ = global_id("BackchannelRequest", tenant_id, facts.id)
        organization_id = None
        if facts.organization_id is not None:
            organization_id = global_id("Organization", tenant_id, facts.organization_id)
        return publish(cls, facts, id=id_, organization_id=organization_id)
