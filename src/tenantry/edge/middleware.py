"""Pure ASGI around every request: its id and log line, its tenant, its faults."""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenantry.core.context import RequestFacts
from tenantry.core.errors import Overloaded
from tenantry.core.ids import new_id
from tenantry.edge import client_certificates, metrics
from tenantry.edge.custom_domains import CANONICAL_ONLY, came_through_edge, client_ip_of
from tenantry.edge.errors import error_response_page, overloaded
from tenantry.edge.proxies import Networks, client_ip, is_trusted
from tenantry.edge.render import NO_STORE, json_response, refuse
from tenantry.keys.client_certificates import BadCertificate
from tenantry.oauth.mtls import ALIAS_PATHS
from tenantry.rules.addresses import MTLS_ALIAS, Location, TenantAddress
from tenantry.rules.custom_domains import EDGE_KEY_HEADER, domain_of_host
from tenantry.services.management_access import load_tenant
from tenantry.services.request import RequestContext, attach, given_nonce
from tenantry.services.runtime import Runtime
from tenantry.store import installation, verified_domains
from tenantry.store.unit_of_work import INSTALLATION

_log = logging.getLogger("tenantry.request")
_fault_log = logging.getLogger("tenantry.fault")
_WITHOUT_HOST = frozenset({"/healthz", "/readyz"})
_EVERYWHERE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_MAX_SEEN = 10_000
_INTERNAL_ERROR = 1011
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Observed:
    """Gives each request an id, masks faults, and writes one line when the answer is out."""

    def __init__(self, app: ASGIApp, proxies: Networks) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        request_id, scope["tenantry.ip"] = self._facts(scope)
        scope["tenantry.request_id"] = request_id
        status = 0
        path = scope["path"]

        async def observed_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name for name, _ in message["headers"]}
                missing = [header for header in _EVERYWHERE if header[0] not in present]
                message["headers"] = [
                    *message["headers"],
                    *missing,
                    (b"x-request-id", request_id.encode()),
                ]
                if nonce := given_nonce(scope):
                    message["headers"].append((b"dpop-nonce", nonce.encode()))
            await send(message)

        try:
            await self._app(scope, receive, observed_send)
        except Exception as error:  # Whatever it was, the answer says nothing of it.
            if status:
                raise
            response = _answer_to(Request(scope), error, request_id)
            await response(scope, receive, observed_send)
        finally:
            seconds = time.perf_counter() - began
            metrics.observe(scope["method"], scope.get("tenantry.route", "none"), status, seconds)
            _log.info(
                "request",
                extra={
                    "facts": {
                        "request_id": request_id,
                        "method": scope["method"],
                        "path": path,
                        "status": status,
                        "milliseconds": round(seconds * 1000, 2),
                        "tenant": scope.get("tenantry.tenant_name", ""),
                        "ip": scope["tenantry.ip"],
                    }
                },
            )

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id, scope["tenantry.ip"] = self._facts(scope)
        scope["tenantry.request_id"] = request_id
        began = time.perf_counter()
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            _fault_log.error("fault in request %s", request_id, exc_info=error)
            with contextlib.suppress(Exception):
                await send({"type": "websocket.close", "code": _INTERNAL_ERROR})
        finally:
            facts = {
                "request_id": request_id,
                "method": "WEBSOCKET",
                "path": scope["path"],
                "seconds": round(time.perf_counter() - began, 2),
                "tenant": scope.get("tenantry.tenant_name", ""),
                "ip": scope["tenantry.ip"],
            }
            _log.info("connection", extra={"facts": facts})

    def _facts(self, scope: Scope) -> tuple[str, str]:
        """The request's id, and the address that it came from."""
        if not is_trusted(scope, self._proxies):
            client = scope.get("client")
            return new_id(), client[0] if client else ""
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else new_id()
        return request_id, client_ip(scope, headers, self._proxies)


def _answer_to(request: Request, error: Exception, request_id: str) -> ASGIApp:
    if isinstance(error, Overloaded):
        return overloaded(error)
    _fault_log.error("fault in request %s", request_id, exc_info=error)
    description = "Something went wrong on the server."
    if "text/html" in request.headers.get("accept", ""):
        return error_response_page(request, None, "server_error", description, 500)
    return json_response({"error": "server_error", "error_description": description}, 500)


class Tenancy:
    """Resolves the request to a tenant by host, then by path; an unknown host gets 421."""

    def __init__(
        self,
        app: ASGIApp,
        runtime: Runtime,
        proxies: Networks,
        certificate_header: str | None = None,
    ) -> None:
        self._app = app
        self._runtime = runtime
        self._proxies = proxies
        # Nobody else than a proxy of ours says what certificate a request came with.
        self._certificate_header = certificate_header if proxies else None
        self._last_seen: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path in _WITHOUT_HOST:
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        trusted = is_trusted(scope, self._proxies)
        if trusted:
            host = headers.get(b"x-forwarded-host", host.encode("latin-1")).decode("latin-1")
        location, address = await self._find(host, path, trusted=trusted)
        if address is None and host.lower().startswith(MTLS_ALIAS):
            location, address = await self._find(host[len(MTLS_ALIAS) :], path, trusted=trusted)
            if address is not None and not await self._is_aliased(location, address):
                location, address = Location(None, path, ""), None
        refusal = self._refusal(location, address, headers)
        if refusal is not None or address is None:
            await refuse(scope, receive, send, refusal or _misdirected())
            return
        try:
            certificate = client_certificates.presented(address, scope["headers"])
        except BadCertificate as error:
            description = f"The header {address.client_certificate_header} is refused: {error}."
            answer = json_response(
                {"error": "invalid_request", "error_description": description}, 400, NO_STORE
            )
            await refuse(scope, receive, send, answer)
            return
        if address.domain is not None:
            scope["tenantry.ip"] = client_ip_of(address.domain, headers) or scope["tenantry.ip"]
        facts = RequestFacts(
            scope["tenantry.request_id"],
            scope["tenantry.ip"],
            headers.get(b"user-agent", b"").decode("latin-1"),
        )
        scope["path"] = location.path
        scope["tenantry.tenant_name"] = address.name
        attach(scope, RequestContext(address, facts, certificate))
        await self._app(scope, receive, send)

    async def _find(
        self, host: str, path: str, *, trusted: bool
    ) -> tuple[Location, TenantAddress | None]:
        location = self._runtime.addresses.locate(host, path)
        if location is None:
            address = await self._address_of_domain(host, trusted=trusted)
            return Location(None, path, ""), address
        return location, await self._address(location, trusted=trusted)

    async def _is_aliased(self, location: Location, address: TenantAddress) -> bool:
        """RFC 8705 §5: whether the host with `mtls.` before it serves this path."""
        if not address.takes_certificates or location.path not in ALIAS_PATHS:
            return False
        tenant = await load_tenant(self._runtime, address.tenant_id)
        return tenant.enable_mtls_endpoint_aliases

    async def _address(self, location: Location, *, trusted: bool) -> TenantAddress | None:
        asked = location.tenant_name or ""
        identity = await self._seen(installation.tenant_identity, asked, lambda found: found[0])
        if identity is None:
            return None
        is_root = location.tenant_name is None
        tenant_id, name = identity
        issuer = self._runtime.addresses.issuer(name, is_root=is_root)
        header = self._certificate_header
        return TenantAddress(
            tenant_id,
            name,
            is_root,
            issuer,
            issuer,
            client_certificate_header=header if trusted else None,
            takes_certificates=header is not None,
        )

    async def _address_of_domain(self, host: str, *, trusted: bool) -> TenantAddress | None:
        domain = domain_of_host(host)
        if domain is None:
            return None
        found = await self._seen(verified_domains.of_host, domain, lambda found: found.tenant_id)
        if found is None:
            return None
        canonical = self._runtime.addresses.issuer(found.tenant_name, is_root=found.is_root)
        # The edge key says that it is the domain's own edge, which had the certificate.
        own = found.facts.is_behind_own_edge
        return TenantAddress(
            found.tenant_id,
            found.tenant_name,
            found.is_root,
            found.facts.issuer,
            canonical,
            found.facts,
            client_certificates.ESCAPED_PEM if own and trusted else None,
            own and bool(self._proxies),
        )

    async def _seen(
        self, loader: Callable[..., Any], asked: str, tenant_of: Callable[[Any], str]
    ) -> Any:
        """What the installation says of a name or a host, as of now."""
        configuration = self._runtime.configuration
        # The tenant of a name seldom changes: one look is for the names and for the tenant.
        configuration.refresh(INSTALLATION, self._last_seen.get(asked, INSTALLATION))
        found = await configuration.get(INSTALLATION, loader, asked)
        if found is not None and self._last_seen.get(asked) != (tenant_id := tenant_of(found)):
            if len(self._last_seen) >= _MAX_SEEN:
                self._last_seen.clear()
            self._last_seen[asked] = tenant_id
            configuration.refresh(tenant_id)
        return found

    def _refusal(
        self, location: Location, address: TenantAddress | None, headers: Mapping[bytes, bytes]
    ) -> Response | None:
        if address is None:
            return _not_found() if location.prefix else _misdirected()
        if address.domain is None:
            return None
        if not came_through_edge(self._runtime.vault, address.domain, headers):
            description = f"The header {EDGE_KEY_HEADER} does not have the domain's edge key."
            refused = {"error": "access_denied", "error_description": description}
            return json_response(refused, 403, NO_STORE)
        return _not_found() if location.path in CANONICAL_ONLY else None


def _misdirected() -> Response:
    return json_response({"error": "misdirected_request"}, 421)


def _not_found() -> Response:
    return json_response({"error": "not_found"}, 404)
