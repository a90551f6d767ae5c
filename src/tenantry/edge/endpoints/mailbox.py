"""`GET /u/mailbox`: the mail of a development server, for operators."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tenantry.edge.branding import branding_of
from tenantry.edge.cookies import session_cookie
from tenantry.edge.errors import error_response_page
from tenantry.edge.render import page
from tenantry.pages import EmailView, MailboxView, mailbox_page
from tenantry.services import emails
from tenantry.services.management_access import load_tenant
from tenantry.services.request import request_context
from tenantry.services.runtime import Runtime


async def mailbox(request: Request) -> Response:
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    if not emails.has_mailbox(runtime, context.address):
        return error_response_page(request, None, "not_found", "There is no such page.", 404)
    tenant = await load_tenant(runtime, context.address.tenant_id)
    found = await runtime.store.read(
        tenant.id,
        context.caller(),
        emails.mailbox,
        runtime.addresses,
        context.address,
        session_cookie(request, context.address),
    )
    if found is None:
        text = f"Sign in as an operator first, at {context.address.management_identifier}"
        return error_response_page(request, tenant, "access_denied", text, 403)
    views = [
        EmailView(
            each.tenant_name,
            each.recipient,
            each.subject,
            emails.shown_time(each.created_at),
            each.text,
            each.html,
        )
        for each in found
    ]
    return page(mailbox_page(MailboxView(branding_of(tenant), views)))
