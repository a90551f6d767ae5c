"""CIBA Core §10.2: the application is told that the person has answered.

Law: the ping says which request and nothing else, and goes to the address that the application
has registered at that moment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.errors import RefusedForGood
from tenantry.services.runtime import Runtime
from tenantry.store import applications

# "The Client SHOULD respond with 204"; "the OP MUST NOT follow" redirects.
_ACCEPTED = frozenset({200, 204})
# RFC 9110 §15.5: of the answers that blame the request, those that another time may not come.
_TEMPORARY = frozenset({408, 425, 429})


class NotAccepted(Exception):
    """The application did not take the ping."""


async def deliver(runtime: Runtime, tenant_id: str, message: Mapping[str, Any]) -> None:
    """Sends one ping; raises where it was not taken, so that it is tried again in its time."""
    if message["expires_at"] <= timestamp(runtime.clock.now()):
        return
    runtime.configuration.refresh(tenant_id)
    application = await runtime.configuration.get(
        tenant_id, applications.find_by_client_id, message["client_id"]
    )
    endpoint = application.backchannel_client_notification_endpoint if application else None
    if endpoint is None:
        return
    response = await runtime.outbound.send(
        "POST",
        endpoint,
        {
            "Authorization": f"Bearer {message['client_notification_token']}",
            "Content-Type": "application/json",
        },
        json.dumps({"auth_req_id": message["auth_req_id"]}).encode(),
    )
    if response.status in _ACCEPTED:
        return
    # "Administrative action is likely to be needed" where the application refuses its own token.
    if 300 <= response.status < 500 and response.status not in _TEMPORARY:
        raise RefusedForGood(f"status {response.status}")
    raise NotAccepted(f"status {response.status}")
