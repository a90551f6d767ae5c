"""The explorer at a tenant's address: its page, and who may sign in there."""

from __future__ import annotations

from starlette.responses import HTMLResponse, PlainTextResponse, Response

from tenantry.core.facts import Environment
from tenantry.management.explorer.page import (
    ExplorerConfig,
    SignIn,
    content_security_policy,
    explorer_page,
)
from tenantry.rules.addresses import TenantAddress
from tenantry.services.management_access import load_tenant
from tenantry.services.management_api import MANAGEMENT_SCOPES, ROOT_SCOPES
from tenantry.services.runtime import Runtime
from tenantry.services.tenants import EXPLORER_CLIENT_ID

_PROFILE = ("openid", "profile", "email")


async def introspects_anonymously(runtime: Runtime, address: TenantAddress) -> bool:
    """Whether anybody may read the schema: on a machine of one's own, at a trial tenant."""
    tenant = await load_tenant(runtime, address.tenant_id)
    return runtime.is_development and tenant.environment is Environment.DEVELOPMENT


async def explorer_response(runtime: Runtime, address: TenantAddress) -> Response:
    tenant = await load_tenant(runtime, address.tenant_id)
    if tenant.trusted_documents_only:
        message = "This tenant runs trusted documents only; its explorer is switched off.\n"
        return PlainTextResponse(message, 403, {"Cache-Control": "no-store", "Vary": "Accept"})
    anonymously = await introspects_anonymously(runtime, address)
    config = explorer_config(runtime, address, introspect_anonymously=anonymously)
    return HTMLResponse(
        explorer_page(config),
        headers={
            "Content-Security-Policy": content_security_policy(config),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "Vary": "Accept",
            "X-Content-Type-Options": "nosniff",
        },
    )


def explorer_config(
    runtime: Runtime, address: TenantAddress, *, introspect_anonymously: bool
) -> ExplorerConfig:
    """The tenant's own sign-in and, elsewhere than at the root, that of its operators."""
    scopes = MANAGEMENT_SCOPES + (ROOT_SCOPES if address.is_root else ())
    sign_ins = [_sign_in(f"Sign in to {address.name}", address.issuer, address, scopes)]
    if not address.is_root:
        root = runtime.addresses.issuer("", is_root=True)
        sign_ins.append(_sign_in("Sign in as operator", root, address, scopes))
    return ExplorerConfig(
        tenant_name=address.name,
        endpoint=address.management_identifier,
        sign_ins=tuple(sign_ins),
        introspect_anonymously=introspect_anonymously,
    )


def _sign_in(label: str, issuer: str, address: TenantAddress, scopes: tuple[str, ...]) -> SignIn:
    return SignIn(
        label=label,
        authorize_url=f"{issuer}authorize",
        token_url=f"{issuer}oauth/token",
        client_id=EXPLORER_CLIENT_ID,
        audience=address.management_identifier,
        redirect_uri=address.management_identifier,
        end_session_url=f"{issuer}oidc/logout",
        scope=" ".join((*_PROFILE, *scopes)),
        issuer=issuer,
    )
