"""Whether the tenant's access control list lets a request in; refusals leave a few audit rows."""

from __future__ import annotations

from tenantry.core.access_control import AccessAction, EndpointGroup
from tenantry.rules.access_control import deciding_rule, is_blocked
from tenantry.rules.rate_limits import subscriber
from tenantry.services.management_access import TenantGone, load_tenant
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.services.throttle import Sample
from tenantry.store.audit import Event
from tenantry.tokens.verify import InvalidToken


async def is_refused(
    runtime: Runtime, sample: Sample, context: RequestContext, group: EndpointGroup
) -> bool:
    """By the tenant as it is in memory: without a list, no more than a look."""
    tenant_id, ip = context.address.tenant_id, context.facts.ip
    try:
        tenant = await load_tenant(runtime, tenant_id)
    except TenantGone:
        return False
    if not tenant.access_control_list:
        return False
    found = deciding_rule(tenant.access_control_list, group, ip)
    if found is None or found[1].action is AccessAction.ALLOW:
        return False
    if sample.takes(tenant_id, f"{group} {subscriber(ip)}"):
        position, rule = found
        details = {"endpoint_group": group, "rule": position, "description": rule.description}
        event = Event("access.refused", details=details)
        await runtime.audit.submit(tenant_id, context.caller(), event)
    return True


async def require_still_let_in(runtime: Runtime, context: RequestContext) -> None:
    """For what lasts longer than a request: InvalidToken where the list would not let it begin."""
    tenant = await load_tenant(runtime, context.address.tenant_id)
    if is_blocked(tenant.access_control_list, EndpointGroup.MANAGEMENT, context.facts.ip):
        raise InvalidToken("kept out by the access control list")
