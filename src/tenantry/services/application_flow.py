"""What an application that speaks for itself may get now: the facts of the decision."""

from __future__ import annotations

from tenantry.core.facts import ApplicationFacts, SubjectType, TenantFacts
from tenantry.rules.authorization import (
    ClientCredentialsFacts,
    Decision,
    decide_client_credentials,
)
from tenantry.services.apis import find_target, granted_to_application
from tenantry.services.organization_access import request_of_application
from tenantry.services.runtime import Runtime


async def decide_for_application(
    runtime: Runtime,
    tenant: TenantFacts,
    application: ApplicationFacts,
    asked: tuple[str | None, tuple[str, ...]],
    organization: str | None,
) -> Decision:
    """`asked` is an audience and its scopes; `organization` is how the request names one."""
    audience, requested = asked
    configuration, client_id = runtime.configuration, application.client_id
    api, granted, within = None, None, None
    if audience is not None:
        api = await find_target(configuration, runtime.addresses, tenant.id, audience)
    if api is not None:
        granted = await granted_to_application(
            configuration, tenant.id, client_id, api, SubjectType.CLIENT
        )
        within = await request_of_application(configuration, tenant, client_id, api, organization)
    return decide_client_credentials(
        ClientCredentialsFacts(
            application=application,
            audience=audience,
            api=api,
            granted=granted,
            requested=requested,
            organization=within,
        )
    )
