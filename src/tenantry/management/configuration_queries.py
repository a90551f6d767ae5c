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
from tenantry.management.ids import local_id
from tenantry.management.types.configuration import (
    ConfigurationExport,
    ConfigurationFormat,
    ConfigurationPlan,
    ConfigurationPlanInput,
    ConfigurationPlanPayload,
    ConfigurationSchema,
)
from tenantry.services.configuration import plan, text
from tenantry.services.configuration import users as named
from tenantry.services.configuration.export import document_of
from tenantry.services.configuration.json_schema import schema_of
from tenantry.services.configuration.nouns import BY_NAME, NOUNS
from tenantry.store.unit_of_work import TenantSession

_SOME = (
    "Needs the read scope of every noun that it concerns; without one of them the error names all."
)


def _is_chosen(name: str, nouns: list[str] | None, users: list[str] | None) -> bool:
    """Users where they are named, the others where nothing or they are asked for."""
    if name == named.NAME:
        return users is not None
    return nouns is None or name in nouns


@strawberry.type
class ConfigurationQueries:
    @field(
        "The tenant's configuration as a document: no secrets, no users but those that are named, "
        f"nothing that the server itself needs or that registered itself. {_SOME}",
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
            strawberry.argument(
                description="Only these members, as in `applications`. By default all but `users`."
            ),
        ] = None,
        users: Annotated[
            list[str] | None,
            strawberry.argument(
                description=(
                    "Users to write out too, at most 1,000, each by the id, the email or the "
                    "username; of a name that several connections know, each user. Their "
                    "passwords are never written. Default none."
                )
            ),
        ] = None,
    ) -> ConfigurationExport | None:
        for name in nouns or ():
            if name not in BY_NAME:
                raise request_error("BAD_REQUEST", f"There is no noun {name}.")
        if users is None and named.NAME in (nouns or ()):
            raise request_error("BAD_REQUEST", "Name the users that are to be written out.")
        chosen = [noun for noun in NOUNS if _is_chosen(noun.name, nouns, users)]
        require_reading(info, [noun.name for noun in chosen])
        write = text.write_json if form is ConfigurationFormat.JSON else text.write_yaml

        def exported(db: TenantSession) -> str:
            work = work_of(info, db)
            work.named[named.NAME] = named.resolve(work, local_names)
            return write(document_of(work, chosen))

        tenant_id = info.context.tenant_id
        local_names = [local_id("User", tenant_id, name) or name for name in users or ()]
        try:
            return ConfigurationExport(document=await info.context.read(exported))
        except DomainError as refusal:
            raise request_error("BAD_REQUEST", refusal.message) from None

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
