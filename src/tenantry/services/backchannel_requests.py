"""Requests to people at another device: how they hear of them, and what their answer does.

Law: one answer counts. The application that is to be pinged hears of either in its transaction.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tenantry.core.backchannel import (
    BackchannelRequestFacts,
    BackchannelRequestState,
    NotificationChannel,
)
from tenantry.core.clock import timestamp
from tenantry.core.emails import EmailTemplateName
from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import ApplicationFacts, TenantFacts, UserFacts
from tenantry.core.ids import new_token
from tenantry.rules.addresses import Addresses
from tenantry.rules.authentication import require_methods
from tenantry.rules.authorization import Refused
from tenantry.rules.backchannel import has_mail
from tenantry.rules.detail_admission import AskedDetails
from tenantry.services import emails
from tenantry.services.apis import find_target_in
from tenantry.services.commands import Patch
from tenantry.services.organization_access import Within, find_in
from tenantry.services.runtime import Runtime
from tenantry.services.user_flow import decide_for
from tenantry.store import applications, attempts, backchannel_requests, outbox, users
from tenantry.store.audit import Event, record
from tenantry.store.unit_of_work import TenantSession

PING, PUSH = "backchannel_ping", "backchannel_push"
"""The kinds of the outbox's messages."""
TICKET_PURPOSE = "approval ticket"


@dataclass(frozen=True, slots=True)
class Ping:
    """What a ping tells: which request, and by which token the application knows the caller."""

    auth_req_id: str
    client_notification_token: str


def usable_channels(runtime: Runtime, tenant: TenantFacts) -> frozenset[NotificationChannel]:
    """The ways that this server and the tenant are set up for."""
    has_push = tenant.push_notification_url is not None and tenant.push_secret_envelope is not None
    found = {NotificationChannel.PUSH} if has_push else set()
    if emails.can_send(runtime):
        found.add(NotificationChannel.EMAIL)
    return frozenset(found)


def asked_of(client_id: str, user_id: str) -> str:
    """Under what it is counted how often an application asks a person."""
    return f"ciba {client_id} {user_id}"


def ping_row(tenant_id: str, id: str) -> str:
    return f"backchannel ping {tenant_id} {id}"


def sealed_ping(db: TenantSession, id: str, ping: Ping) -> str:
    content = json.dumps([ping.auth_req_id, ping.client_notification_token])
    return db.vault.encrypt(content.encode(), ping_row(db.tenant_id, id))


def new_ticket(db: TenantSession) -> tuple[str, str]:
    """What a link carries, and what is stored of it."""
    ticket = new_token()
    return ticket, db.vault.digest(ticket, TICKET_PURPOSE)


def tell(
    db: TenantSession,
    request: BackchannelRequestFacts,
    application: ApplicationFacts,
    user: UserFacts,
    ticket: str | None,
) -> None:
    """Promises the message by the way that the request names."""
    if request.channel is NotificationChannel.PUSH:
        outbox.enqueue(
            db,
            PUSH,
            {"id": request.id, "client_id": application.client_id, "user_id": user.id},
        )
        return
    emails.enqueue(
        db,
        EmailTemplateName.ASYNC_APPROVAL,
        user.email or "",
        {
            "application": {"name": application.name},
            "user": {"name": user.name or user.email or "", "email": user.email or ""},
            "url": f"{request.issuer}u/approval?ticket={ticket}",
            "binding_message": request.binding_message or "",
            "expires_at": emails.shown_time(request.expires_at),
        },
        expires_at=request.expires_at,
        client_id=application.client_id,
        user_id=user.id,
    )


def fall_back_to_email(db: TenantSession, id: str) -> bool:
    """Where the push service knows no device of the person: whether there is another way."""
    found = backchannel_requests.find(db, id)
    if found is None or found.state is not BackchannelRequestState.PENDING:
        return False
    application = applications.find_by_client_id(db, found.client_id)
    user = users.find(db, found.user_id)
    if application is None or user is None or user.blocked or not has_mail(user):
        return False
    if NotificationChannel.EMAIL not in application.async_approval_notification_channels:
        return False
    ticket, digest = new_ticket(db)
    if not backchannel_requests.set_ticket(db, id, NotificationChannel.EMAIL.value, digest):
        return False
    told = backchannel_requests.find(db, id)
    if told is None:
        return False
    tell(db, told, application, user, ticket)
    return True


def approve(
    db: TenantSession,
    request: BackchannelRequestFacts,
    auth_time: datetime,
    amr: Sequence[str],
    scopes: Sequence[str],
) -> bool:
    """Whether the person's approval came first and in time."""
    if not backchannel_requests.approve(db, request.id, auth_time, amr, scopes):
        return False
    # Whoever goes along is not pestered.
    attempts.take_back(db, asked_of(request.client_id, request.user_id))
    _note(db, "backchannel_request.approved", request, {"scope": " ".join(scopes)})
    _ping(db, request)
    return True


def deny(db: TenantSession, request: BackchannelRequestFacts) -> bool:
    """Whether the refusal came first and in time."""
    if not backchannel_requests.deny(db, request.id):
        return False
    _note(db, "backchannel_request.denied", request, {})
    _ping(db, request)
    return True


def _note(
    db: TenantSession, type: str, request: BackchannelRequestFacts, details: dict[str, object]
) -> None:
    record(
        db,
        Event(
            type,
            client_id=request.client_id,
            user_id=request.user_id,
            target_type="BackchannelRequest",
            target_id=request.id,
            details=details,
        ),
    )


def _ping(db: TenantSession, request: BackchannelRequestFacts) -> None:
    if request.ping_envelope is None:
        return
    opened = db.vault.decrypt(request.ping_envelope, ping_row(db.tenant_id, request.id))
    auth_req_id, token = json.loads(opened)
    outbox.enqueue(
        db,
        PING,
        {
            "client_id": request.client_id,
            "user_id": request.user_id,
            "auth_req_id": auth_req_id,
            "client_notification_token": token,
            "expires_at": timestamp(request.expires_at),
        },
    )


def answer_approved(
    db: TenantSession, addresses: Addresses, patch: Patch, amr: Sequence[str] = ()
) -> BackchannelRequestFacts:
    """An app of the tenant's own has asked the person, who approved there and then.

    `amr` is how the person signed in to it.
    """
    amr = require_methods(amr)
    request = _require_waiting(db, patch.id)
    application = applications.find_by_client_id(db, request.client_id)
    user = users.find(db, request.user_id)
    if application is None or user is None or user.blocked:
        raise DomainError(ErrorCode.NOT_ALLOWED, "The user or the application is gone.", "id")
    audience, within = request.audience, None
    if request.organization_id is not None:
        organization = find_in(db, request.organization_id)
        if organization is None:
            raise DomainError(ErrorCode.NOT_ALLOWED, "The organization is gone.", "id")
        within = Within(organization)
    api = find_target_in(db, addresses, audience) if audience else None
    asked = (audience, request.requested_scopes)
    details = AskedDetails(request.authorization_details, is_pushed=True)
    decision = decide_for(db, application, api, asked, user, within, details)
    if isinstance(decision, Refused):
        raise DomainError(ErrorCode.NOT_ALLOWED, decision.description, "id")
    if not approve(db, request, db.now, amr, decision.scopes):
        raise _over()
    return _require(db, patch.id)


def answer_denied(db: TenantSession, patch: Patch) -> BackchannelRequestFacts:
    """The person refused in an app of the tenant's own."""
    if not deny(db, _require_waiting(db, patch.id)):
        raise _over()
    return _require(db, patch.id)


def _require(db: TenantSession, id: str) -> BackchannelRequestFacts:
    found = backchannel_requests.find(db, id)
    if found is None:
        raise not_found("backchannel request")
    return found


def _require_waiting(db: TenantSession, id: str) -> BackchannelRequestFacts:
    found = _require(db, id)
    if found.state is not BackchannelRequestState.PENDING or found.expires_at <= db.now:
        raise _over()
    return found


def _over() -> DomainError:
    return DomainError(ErrorCode.NOT_ALLOWED, "The request was answered or has expired.", "id")
