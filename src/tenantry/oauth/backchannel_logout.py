"""OpenID Connect Back-Channel Logout 1.0: an application is told that a sign-in has ended.

Law: a logout token is signed at the moment when it is sent, for one application, and goes to
the address that the application has registered at that moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from tenantry.core.clock import timestamp
from tenantry.services.client_secrets import signing_secret
from tenantry.services.management_access import TenantGone, load_tenant
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.services.subjects import subject_of
from tenantry.store import applications
from tenantry.tokens import issue
from tenantry.tokens.logout_token import LogoutTokenContent

METADATA = {"backchannel_logout_supported": True, "backchannel_logout_session_supported": True}

# §2.8: 200, or the 204 that some frameworks make of an empty body.
_ACCEPTED = frozenset({200, 204})


class NotAccepted(Exception):
    """The application answered, and did not end its session."""


async def deliver(runtime: Runtime, tenant_id: str, message: Mapping[str, Any]) -> None:
    """Sends one logout token; raises where it was not accepted, so that it is tried again."""
    runtime.configuration.refresh(tenant_id)
    try:
        tenant = await load_tenant(runtime, tenant_id)
    except TenantGone:
        return
    application = await runtime.configuration.get(
        tenant_id, applications.find_by_client_id, message["client_id"]
    )
    if application is None or application.backchannel_logout_uri is None:
        return
    token = issue.logout_token(
        LogoutTokenContent(
            issuer=message["issuer"],
            subject=subject_of(runtime.vault, application, message["user_id"]),
            client_id=application.client_id,
            session_id=message["sid"],
            issued_at=timestamp(runtime.clock.now()),
        ),
        await key_ring(runtime, tenant),
        application.id_token_signed_response_alg,
        signing_secret(runtime.vault, tenant_id, application),
    )
    # §2.5: "uses an HTTP POST to the registered back-channel logout URI", as a form.
    response = await runtime.outbound.send(
        "POST",
        application.backchannel_logout_uri,
        {"Content-Type": "application/x-www-form-urlencoded"},
        urlencode({"logout_token": token}).encode(),
    )
    if response.status not in _ACCEPTED:
        raise NotAccepted(f"status {response.status}")
