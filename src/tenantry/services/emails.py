"""Messages to people: promised in the transaction of what they tell of, worded when they go.

Law: what a message holds is sealed until it is sent, and no log says it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tenantry.core.clock import timestamp
from tenantry.core.context import SYSTEM, Caller
from tenantry.core.emails import EmailTemplateName, KeptEmail, RenderedEmail
from tenantry.core.facts import TenantFacts
from tenantry.rules.addresses import Addresses, TenantAddress
from tenantry.rules.email_templates import render, template_of
from tenantry.services import sessions
from tenantry.services.apis import find_api_in, permitted_to_user
from tenantry.services.management_access import TenantGone, load_tenant
from tenantry.services.runtime import Runtime
from tenantry.store import installation, kept_emails, outbox, users
from tenantry.store.unit_of_work import TenantSession

EMAIL = "email"
"""The kind of the outbox's messages."""
MAILBOX_SIZE = 50
_OPERATORS = "read:tenants"


def can_send(runtime: Runtime) -> bool:
    """Whether mail leaves this server, or a development server keeps it."""
    return runtime.mail_server is not None or runtime.is_development


def enqueue(
    db: TenantSession,
    template: EmailTemplateName,
    recipient: str,
    values: Mapping[str, Any],
    *,
    expires_at: datetime,
    client_id: str | None,
    user_id: str | None,
) -> None:
    """A message that is worth sending until `expires_at`, with what its template knows."""
    outbox.enqueue(
        db,
        EMAIL,
        {
            "template": template.value,
            "recipient": recipient,
            "values": dict(values),
            "expires_at": timestamp(expires_at),
            "client_id": client_id,
            "user_id": user_id,
        },
    )


def shown_time(moment: datetime) -> str:
    """A time as a message says it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


async def deliver(runtime: Runtime, tenant_id: str, message: Mapping[str, Any]) -> None:
    """Sends one message, or keeps it where a development server has nobody to hand it to."""
    runtime.configuration.refresh(tenant_id)
    try:
        tenant = await load_tenant(runtime, tenant_id)
    except TenantGone:
        return
    if message["expires_at"] <= timestamp(runtime.clock.now()):
        return
    template = template_of(tenant.email_templates, EmailTemplateName(message["template"]))
    content = render(template, {**message["values"], "tenant": {"name": shown_name(tenant)}})
    if runtime.mail_server is not None:
        await runtime.mail_server.send(
            message["recipient"], content, shown_name(tenant), tenant.support_email
        )
    elif runtime.is_development:
        await runtime.store.write(tenant_id, Caller(SYSTEM), _keep, message["recipient"], content)


def _keep(db: TenantSession, recipient: str, content: RenderedEmail) -> None:
    kept_emails.add(
        db,
        {
            "recipient": recipient,
            "subject": content.subject,
            "html": content.html,
            "text": content.text,
        },
    )


def shown_name(tenant: TenantFacts) -> str:
    return tenant.friendly_name or tenant.name


def has_mailbox(runtime: Runtime, address: TenantAddress) -> bool:
    """Whether mail is kept here to be looked at: on a development server, at the root."""
    return runtime.is_development and runtime.mail_server is None and address.is_root


def mailbox(
    db: TenantSession, addresses: Addresses, address: TenantAddress, cookie: str | None
) -> tuple[KeptEmail, ...] | None:
    """What was kept, of every tenant, the newest first; None for anybody but an operator."""
    session = sessions.find_live(db, cookie, address.issuer)
    user = users.find(db, session.user_id) if session else None
    api = find_api_in(db, addresses, address.management_identifier)
    if user is None or user.blocked or api is None:
        return None
    if _OPERATORS not in permitted_to_user(db, user.id, api):
        return None
    found: list[KeptEmail] = []
    for tenant_id in installation.tenants_with_mail(db, MAILBOX_SIZE):
        found += kept_emails.latest(db.for_tenant(tenant_id), MAILBOX_SIZE)
    return tuple(sorted(found, key=lambda each: each.id, reverse=True)[:MAILBOX_SIZE])
