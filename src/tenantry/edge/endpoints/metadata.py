"""The well-known documents: provider and protected resource metadata, keys, links of devices."""

from __future__ import annotations

import hashlib
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tenantry.core.facts import ApplicationFacts
from tenantry.edge.render import json_response
from tenantry.oauth import discovery
from tenantry.rules import app_links
from tenantry.services.compliance import says_issuer
from tenantry.services.encryption_keys import decryption_keys
from tenantry.services.management_access import load_tenant
from tenantry.services.management_api import scopes_of
from tenantry.services.request import request_context
from tenantry.services.runtime import Runtime
from tenantry.services.signing_keys import key_ring
from tenantry.store import applications, resource_servers

# Short, so that a rotated key is seen soon; a verifier asks again for an unknown kid anyway.
_CACHE = "public, max-age=60, stale-while-revalidate=60"


async def provider(request: Request) -> Response:
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    tenant = await load_tenant(runtime, context.address.tenant_id)
    types = await runtime.configuration.get(tenant.id, resource_servers.detail_types, "") or ()
    told = await says_issuer(runtime, tenant)
    document = discovery.provider_metadata(context.address, tenant, types, says_issuer=told)
    return _cacheable(request, document)


async def protected_resource(request: Request) -> Response:
    runtime: Runtime = request.scope["tenantry.runtime"]
    address = request_context(request.scope).address
    scopes = [scope.value for scope in scopes_of(is_root=address.is_root)]
    root_issuer = runtime.addresses.issuer("", is_root=True)
    return _cacheable(request, discovery.protected_resource_metadata(address, root_issuer, scopes))


async def jwks(request: Request) -> Response:
    runtime: Runtime = request.scope["tenantry.runtime"]
    address = request_context(request.scope).address
    tenant = await load_tenant(runtime, address.tenant_id)
    ring = await key_ring(runtime, tenant)
    decrypting = await decryption_keys(runtime, tenant)
    return _cacheable(request, discovery.jwks(ring, tenant, address.domain, decrypting))


async def asset_links(request: Request) -> Response:
    return _cacheable(request, app_links.asset_links(await _on_devices(request, "android")))


async def site_association(request: Request) -> Response:
    return _cacheable(request, app_links.site_association(await _on_devices(request, "ios")))


async def _on_devices(request: Request, platform: str) -> tuple[ApplicationFacts, ...]:
    runtime: Runtime = request.scope["tenantry.runtime"]
    tenant_id = request_context(request.scope).address.tenant_id
    return await runtime.configuration.get(tenant_id, applications.on_devices, platform) or ()


def _cacheable(request: Request, document: Any) -> Response:
    response = json_response(document, 200, {"Cache-Control": _CACHE})
    etag = f'"{hashlib.sha256(bytes(response.body)).hexdigest()[:32]}"'
    condition = request.headers.get("if-none-match", "")
    if etag in condition or condition.strip() == "*":
        return Response(status_code=304, headers={"ETag": etag, "Cache-Control": _CACHE})
    response.headers["ETag"] = etag
    return response
