"""Loads what the readiness checks look at."""

from __future__ import annotations

from tenantry.rules.addresses import TenantAddress
from tenantry.rules.readiness import ReadinessCheck, TenantReadinessFacts, check_tenant
from tenantry.services.applications import require_tenant
from tenantry.store import connections, resource_servers
from tenantry.store.pages import PageRequest
from tenantry.store.unit_of_work import TenantSession

_LOOKED_AT = 1_000


def tenant_readiness(db: TenantSession, address: TenantAddress) -> tuple[ReadinessCheck, ...]:
    """The oldest thousand APIs and connections are looked at."""
    request = PageRequest(_LOOKED_AT)
    return check_tenant(
        TenantReadinessFacts(
            tenant=require_tenant(db),
            is_https=address.is_https,
            connections=connections.page(db, request=request).items,
            apis=resource_servers.page(db, request=request).items,
        )
    )
