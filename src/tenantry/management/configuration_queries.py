"""Configuration as a document: written out, compared, and what one may hold."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from tenantry.core.errors import DomainError
from tenantry.management.configuration import (
    ABOUTS,
    READS,
    asked_for,
    require_reading,
    work_of,
)
from tenantry.management.context import Info
from tenantry.management.errors import request_error, user_error
from tenantry.management.fields import field
from tenantry.management.types.configuration import (
    ConfigurationExport,
    ConfigurationFormat,
    ConfigurationPlan,
    ConfigurationPlanInput,
    ConfigurationPlanPayload,
    ConfigurationSchema,
)
from tenantry.services.configuration import plan, text
from tenantry.services.configuration.export import document_of
from tenantry.services.configuration.json_schema import schema_of
from tenantry.services.configuration.nouns import BY_NAME, NOUNS
from tenantry.store.unit_of_work import TenantSession

_SOME = (
    "Needs the read scope of every noun that it concerns; without one of them the error names all."
)


@strawberry.type
class ConfigurationQueries:
    @field(
        "The tenant's configuration as a document: no users, no secrets, nothing that the server "
        f"itself needs or that registered itself. {_SOME}",
        *READS,
    )
    async def configuration_export(
        self,
        info: Info,
        form: Annotated[
            ConfigurationFormat,
            strawberry.argument(name="format", description="How it is written."),
        ] = ConfigurationFormat.YAML,
        nouns: Annotated[
            list[str] | None,
            strawberry.argument(description="Only these members. By default all."),
        ] = None,
    ) -> ConfigurationExport | None:
        for name in nouns or ():
            if name not in BY_NAME:
                raise request_error("BAD_REQUEST", f"There is no noun {name}.")
        chosen = [noun for noun in NOUNS if nouns is None or noun.name in nouns]
        require_reading(info, [noun.name for noun in chosen])
        write = text.write_json if form is ConfigurationFormat.JSON else text.write_yaml

        def work(db: TenantSession) -> str:
            return write(document_of(work_of(info, db), chosen))

        return ConfigurationExport(document=await info.context.read(work))

    @field(
        "What applying a document would change, field by field. Objects are found by their keys; "
        "a setting or a noun that is left out is not changed, null sets the default. Objects that "
        f"the document does not name are kept. {_SOME}",
        *READS,
    )
    async def configuration_plan(
        self,
        info: Info,
        input: Annotated[
            ConfigurationPlanInput, strawberry.argument(description="What the tenant should be.")
        ],
    ) -> ConfigurationPlanPayload | None:
        try:
            asked = await asked_for(info, input)
        except DomainError as refusal:
            return ConfigurationPlanPayload(plan=None, errors=[user_error(refusal)])
        require_reading(info, [*asked.document, *(one.noun for one in asked.deletes)])
        made = await info.context.read(lambda db: plan.make(work_of(info, db), asked))
        return ConfigurationPlanPayload(
            plan=ConfigurationPlan.of(made.plan) if made.plan else None,
            errors=[user_error(refusal) for refusal in made.refusals],
        )

    @field(
        "The JSON schema of a configuration document, in the dialect of 2020-12.",
        *READS,
    )
    async def configuration_schema(self, info: Info) -> ConfigurationSchema | None:
        return ConfigurationSchema(json_schema=JSON(schema_of(ABOUTS)))
