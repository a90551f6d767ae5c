"""Configuration as a document: making a tenant what it says."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.management.configuration import WRITES, asked_for, require_all, work_of
from tenantry.management.context import Info
from tenantry.management.errors import user_error
from tenantry.management.fields import field
from tenantry.management.mutations.inputs import SENT
from tenantry.management.mutations.payloads import Payload
from tenantry.management.mutations.unit import Outcome, refused, run
from tenantry.management.types.configuration import (
    ConfigurationMade,
    ConfigurationPlan,
    ConfigurationPlanInput,
)
from tenantry.rules.subjects import SectorDocument
from tenantry.services import sectors
from tenantry.services.configuration.applications import SectorNeeded
from tenantry.services.configuration.apply import Applied, apply
from tenantry.services.configuration.plan import Asked
from tenantry.store.unit_of_work import TenantSession

_MAX_FETCHES = 100


@strawberry.input(description="A document to apply, and the plan that was looked at.")
class ConfigurationApplyInput(ConfigurationPlanInput):
    plan_hash: str = strawberry.field(
        description="The `hash` of the plan for the same document, keywords and deletes."
    )


@strawberry.type(description="The answer to `configurationApply`.")
class ConfigurationApplyPayload(Payload):
    plan: ConfigurationPlan | None = strawberry.field(
        description="What was changed; null if nothing was done."
    )
    plan_hash: str | None = strawberry.field(
        description="The hash that the plan has now; null if the document was refused."
    )
    made: list[ConfigurationMade] | None = strawberry.field(
        description="The objects that are new or have a new secret; null if nothing was done."
    )


async def _applied(info: Info, asked: Asked, expected: str) -> Outcome[Applied]:
    """What a change needs from other servers is fetched between two attempts, never inside."""
    context = info.context
    found: dict[str, SectorDocument] = {}

    def attempt(db: TenantSession) -> Applied:
        work = work_of(info, db)
        work.sectors = found
        return apply(work, asked, expected, lambda scopes: require_all(info, scopes))

    while True:
        try:
            return await run(info, Applied, attempt)
        except SectorNeeded as needed:
            document = None
            if len(found) < _MAX_FETCHES:
                document = await sectors.fetch_for_new(
                    context.runtime, context.tenant_id, needed.values
                )
            # One that says nothing is refused as one that cannot be had.
            found[needed.external_id] = document or SectorDocument("", frozenset())


@strawberry.type
class ConfigurationMutations:
    @field(
        "Makes the tenant what a document says, in one transaction: all of it or nothing. It is "
        "refused with PLAN_STALE if the tenant or the document changed since the plan. Needs the "
        "scopes that the plan lists as `requiredScopes`; without one of them the error names all. "
        "The input may have 16 MiB if no other field is asked for in the same operation.",
        *WRITES,
    )
    async def configuration_apply(
        self, info: Info, input: Annotated[ConfigurationApplyInput, SENT]
    ) -> ConfigurationApplyPayload | None:
        try:
            asked = await asked_for(info, input)
        except DomainError as refusal:
            outcome: Outcome[Applied] = await run(info, Applied, refused, refusal)
        else:
            outcome = await _applied(info, asked, input.plan_hash)
        done = outcome.value or Applied(None)
        errors = outcome.errors + [
            user_error(DomainError(ErrorCode(one.code), one.message, *one.field))
            for one in done.refusals
        ]
        return ConfigurationApplyPayload(
            plan=ConfigurationPlan.of(done.plan) if done.plan and not errors else None,
            plan_hash=done.plan.hash if done.plan else None,
            made=None
            if errors
            else [ConfigurationMade.of(one, info.context.tenant_id) for one in done.made],
            errors=errors,
        )
