"""Cross-origin answers: by the lists of the application that acts."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenantry.core.organizations import OrganizationUsage
from tenantry.rules.custom_domain_urls import at_domain
from tenantry.rules.redirect_uris import allowed_origins, is_listed, organization_of
from tenantry.services.request import acting_application, request_context
from tenantry.services.runtime import Runtime
from tenantry.store import applications, organizations

_OPEN = frozenset(
    {
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource/graphql",
        "/.well-known/jwks.json",
    }
)
_GUARDED = {
    "/oauth/token": "POST",
    "/oauth/device/code": "POST",
    "/oauth/par": "POST",
    "/oauth/revoke": "POST",
    "/userinfo": "GET, POST",
    "/graphql": "POST",
}
# Existing libraries for browsers name themselves in `Auth0-Client`; nothing here reads it.
_HEADERS = "Authorization, Auth0-Client, Content-Type, DPoP, Idempotency-Key"
# RFC 9449 §8: scripts read the nonce of an answer.
_EXPOSED = "DPoP-Nonce, WWW-Authenticate"
_MAX_AGE = "600"


class Cors:
    """Answers preflights, and adds the header for the origins of the acting application."""

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self._app = app
        self._runtime = runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        raw = dict(scope["headers"]).get(b"origin")
        # A WebSocket is none of CORS's matters: no cookie speaks for who opens one.
        is_http = scope["type"] == "http"
        if not is_http or raw is None or (path not in _OPEN and path not in _GUARDED):
            await self._app(scope, receive, send)
            return
        origin = raw.decode("latin-1")
        if scope["method"] == "OPTIONS":
            await self._preflight(scope, send, origin, path)
            return

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if path in _OPEN:
                    headers["Access-Control-Allow-Origin"] = "*"
                else:
                    headers.add_vary_header("Origin")
                    if await self._is_listed(scope, origin):
                        headers["Access-Control-Allow-Origin"] = origin
                        headers["Access-Control-Expose-Headers"] = _EXPOSED
            await send(message)

        await self._app(scope, receive, send_with_header)

    async def _is_listed(self, scope: Scope, origin: str) -> bool:
        application = acting_application(scope)
        if application is None:
            return False
        application = at_domain(application, request_context(scope).address.domain)
        listed = allowed_origins(
            application.redirect_uris, application.allowed_origins, application.web_origins
        )
        if application.organization_usage is not OrganizationUsage.DENY:
            tenant_id = request_context(scope).address.tenant_id
            if await self._is_of_organization(tenant_id, origin, listed):
                return True
        return is_listed(origin, listed) or (application.is_system and self._is_ours(scope, origin))

    async def _is_of_organization(self, tenant_id: str, origin: str, listed: Iterable[str]) -> bool:
        """`{organization_name}`: a script is where an organization of the tenant has its page."""
        name = organization_of(origin, listed)
        return name is not None and bool(
            await self._runtime.configuration.get(tenant_id, organizations.find_by_name, name)
        )

    def _is_ours(self, scope: Scope, origin: str) -> bool:
        """The explorers of other tenants sign operators in at the root."""
        address = request_context(scope).address
        return address.is_root and self._runtime.addresses.is_tenant_origin(origin)

    async def _preflight(self, scope: Scope, send: Send, origin: str, path: str) -> None:
        allowed = path in _OPEN or self._is_ours(scope, origin)
        if not allowed:
            address = request_context(scope).address
            tenant_id, domain = address.tenant_id, address.domain.id if address.domain else ""
            listed = await self._runtime.configuration.get(tenant_id, applications.origins, domain)
            allowed = is_listed(origin, listed or ()) or await self._is_of_organization(
                tenant_id, origin, listed or ()
            )
        headers = [(b"vary", b"Origin"), (b"content-length", b"0")]
        if allowed:
            headers += [
                (b"access-control-allow-origin", b"*" if path in _OPEN else origin.encode()),
                (b"access-control-allow-methods", _GUARDED.get(path, "GET").encode()),
                (b"access-control-allow-headers", _HEADERS.encode()),
                (b"access-control-max-age", _MAX_AGE.encode()),
            ]
        status = 204 if allowed else 403
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
