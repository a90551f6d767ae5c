"""Requests to people by the tenant's own push service: a webhook that is signed like log streams.

Law: the service is told what to show and the name of the request, and nothing that would answer
it. Where it knows no device of the person it says 404, and the person gets mail instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tenantry.core.backchannel import BackchannelRequestFacts, BackchannelRequestState
from tenantry.core.clock import timestamp
from tenantry.core.context import SYSTEM, Caller
from tenantry.core.facts import ApplicationFacts
from tenantry.core.ids import GlobalId
from tenantry.jobs.log_streams import DeliveryRefused, signature
from tenantry.services import backchannel_requests as answers
from tenantry.services import push_service
from tenantry.services.management_access import TenantGone, load_tenant
from tenantry.services.runtime import Runtime
from tenantry.store import applications, backchannel_requests

EVENT = "backchannel_request.created"
_NOT_ENROLLED = 404


async def deliver(runtime: Runtime, tenant_id: str, message: Mapping[str, Any]) -> None:
    """Asks the push service; raises where it did not take it, so that it is tried again."""
    runtime.configuration.refresh(tenant_id)
    try:
        tenant = await load_tenant(runtime, tenant_id)
    except TenantGone:
        return
    found = await runtime.store.read(
        tenant_id, Caller(SYSTEM), backchannel_requests.find, message["id"]
    )
    now = runtime.clock.now()
    if found is None or found.state is not BackchannelRequestState.PENDING:
        return
    application = await runtime.configuration.get(
        tenant_id, applications.find_by_client_id, found.client_id
    )
    secret = push_service.secret_of(runtime.vault, tenant)
    url = tenant.push_notification_url
    if application is None or url is None or secret is None or found.expires_at <= now:
        return
    body = _body(tenant_id, found, application)
    sent_at = timestamp(now)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": found.id,
        "webhook-timestamp": str(sent_at),
        "webhook-signature": signature(secret, found.id, sent_at, body),
    }
    answer = await runtime.outbound.send("POST", url, headers, body.encode())
    if answer.status == _NOT_ENROLLED:
        await runtime.store.write(tenant_id, Caller(SYSTEM), answers.fall_back_to_email, found.id)
        return
    if not 200 <= answer.status < 300:
        raise DeliveryRefused(answer.status)


def _body(tenant_id: str, found: BackchannelRequestFacts, application: ApplicationFacts) -> str:
    """The same for each attempt, so that the service may know it again."""
    content = {
        "type": EVENT,
        "timestamp": found.created_at.isoformat(),
        "data": {
            "id": GlobalId("BackchannelRequest", tenant_id, found.id).encode(),
            "userId": found.user_id,
            "clientId": found.client_id,
            "applicationName": application.name,
            "bindingMessage": found.binding_message,
            "audience": found.audience,
            "scopes": list(found.requested_scopes),
            "authorizationDetails": list(found.authorization_details),
            "expiresAt": found.expires_at.isoformat(),
        },
    }
    return json.dumps(content, separators=(",", ":"))
