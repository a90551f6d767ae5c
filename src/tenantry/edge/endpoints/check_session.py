"""`GET /oidc/check_session`: the frame that applications ask about the sign-in."""

from __future__ import annotations

from collections.abc import Collection

from starlette.requests import Request
from starlette.responses import Response

from tenantry.edge.cookies import clear_session, session_cookie, state_cookie_name
from tenantry.edge.render import page
from tenantry.pages import CheckSessionView, check_session_page, headers_when_framed
from tenantry.rules.redirect_uris import is_listed, origin_of
from tenantry.services import sessions
from tenantry.services.request import request_context
from tenantry.services.runtime import Runtime
from tenantry.store import applications

_MAX_NAMED = 50
"""Origins in one header: many proxies take four kilobytes of headers and no more."""


async def check_session(request: Request) -> Response:
    """Framed by the origins that applications of the tenant registered, and by no others."""
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    tenant_id = context.address.tenant_id
    domain = context.address.domain.id if context.address.domain else ""
    origins = await runtime.configuration.get(tenant_id, applications.origins, domain)
    view = CheckSessionView(state_cookie_name(context.address))
    framed_by = _named(request, origins or ())
    response = page(check_session_page(view), headers=headers_when_framed(framed_by))
    cookie = session_cookie(request, context.address)
    if cookie is not None and not await runtime.store.read(
        tenant_id, context.caller(), sessions.find_live, cookie, context.address.issuer
    ):
        # It was ended elsewhere, or its time is over: this browser has not noticed yet.
        clear_session(response, context.address)
    return response


def _named(request: Request, origins: Collection[str]) -> Collection[str]:
    """Who may frame it: all of them, or where they are too many, the one that says it does.

    The browser compares what is named with who really frames it, so a false word gains nothing.
    """
    if len(origins) <= _MAX_NAMED:
        return origins
    framing = origin_of(request.headers.get("referer", ""))
    return (framing,) if framing and is_listed(framing, origins) else ()
