"""Configuration documents as the schema shows them: plans, changes, and what was made."""

from __future__ import annotations

from enum import Enum

import strawberry
from strawberry.scalars import JSON

from tenantry.management.errors import UserError
from tenantry.management.ids import global_id
from tenantry.management.types.enums import describe_enum
from tenantry.services.configuration import apply as applying
from tenantry.services.configuration import plan as planning
from tenantry.services.configuration.nouns import BY_NAME

_NOUN_ABOUT = "The member of the document that holds its kind, such as `applications`."
_KEY_ABOUT = (
    "What finds it in every environment: `externalId`, `identifier`, `name`, `issuer`; of a client "
    "grant the application, the audience and the subject type, with spaces between; of a user the "
    "connection and the email or, without one, the username; empty for the tenant itself."
)


class ConfigurationFormat(Enum):
    YAML = "yaml"
    JSON = "json"


class ConfigurationAction(Enum):
    CREATE = planning.CREATE
    UPDATE = planning.UPDATE
    DELETE = planning.DELETE


describe_enum(
    ConfigurationFormat,
    "How a configuration document is written.",
    {ConfigurationFormat.YAML: "YAML.", ConfigurationFormat.JSON: "JSON."},
)
describe_enum(
    ConfigurationAction,
    "What a plan does with an object.",
    {
        ConfigurationAction.CREATE: "It is not there yet.",
        ConfigurationAction.UPDATE: "It has other settings.",
        ConfigurationAction.DELETE: "It was named to be deleted, or cannot be without what is.",
    },
)


@strawberry.type(description="A tenant's configuration, written out.")
class ConfigurationExport:
    document: str = strawberry.field(
        description="The document. The tenant's own addresses are keywords; no secret is in it."
    )


@strawberry.type(description="What a configuration document may hold.")
class ConfigurationSchema:
    json_schema: JSON = strawberry.field(description="The JSON schema, for editors and checks.")


@strawberry.type(description="A setting that a plan changes.")
class ConfigurationFieldChange:
    field: str = strawberry.field(description="The member of the object in the document.")
    before: JSON | None = strawberry.field(
        description="What it is now; null for a new object. A secret is asterisks."
    )
    after: JSON | None = strawberry.field(
        description="What it will be; null for an object to be deleted. A secret is asterisks."
    )


@strawberry.type(description="An object that a plan changes.")
class ConfigurationChange:
    action: ConfigurationAction = strawberry.field(description="What is done with it.")
    noun: str = strawberry.field(description=_NOUN_ABOUT)
    key: str = strawberry.field(description=_KEY_ABOUT)
    fields: list[ConfigurationFieldChange] = strawberry.field(
        description=(
            "The settings that change; of a new or deleted object those that are not the defaults."
        )
    )

    @classmethod
    def of(cls, change: planning.Change) -> ConfigurationChange:
        return cls(
            action=ConfigurationAction(change.action),
            noun=change.noun,
            key=change.key,
            fields=[
                ConfigurationFieldChange(field=one.field, before=one.before, after=one.after)
                for one in change.fields
            ],
        )


@strawberry.type(description="An object by its kind and key.")
class ConfigurationObject:
    noun: str = strawberry.field(description=_NOUN_ABOUT)
    key: str = strawberry.field(description=_KEY_ABOUT)


@strawberry.type(description="What applying a document would change.")
class ConfigurationPlan:
    hash: str = strawberry.field(
        description="Stands for the tenant's configuration and these changes; apply wants it."
    )
    changes: list[ConfigurationChange] = strawberry.field(
        description="In the order in which they are made; empty if the tenant is so already."
    )
    kept: list[ConfigurationObject] = strawberry.field(
        description="Objects of the document's nouns that it does not name: they stay as they are."
    )
    required_scopes: list[str] = strawberry.field(
        description="The scopes that applying it needs, all of them."
    )

    @classmethod
    def of(cls, plan: planning.Plan) -> ConfigurationPlan:
        return cls(
            hash=plan.hash,
            changes=[ConfigurationChange.of(change) for change in plan.changes],
            kept=[ConfigurationObject(noun=one.noun, key=one.key) for one in plan.kept],
            required_scopes=list(plan.required_scopes),
        )


@strawberry.type(description="An object that was made just now, or that got a new secret.")
class ConfigurationMade:
    noun: str = strawberry.field(description=_NOUN_ABOUT)
    key: str = strawberry.field(description=_KEY_ABOUT)
    id: strawberry.ID = strawberry.field(description="Its id.")
    client_id: str | None = strawberry.field(description="Of an application, else null.")
    secret: str | None = strawberry.field(
        description="The secret that was made for it, shown this once; null if it has none."
    )

    @classmethod
    def of(cls, made: applying.Made, tenant_id: str) -> ConfigurationMade:
        return cls(
            noun=made.noun,
            key=made.key,
            id=global_id(BY_NAME[made.noun].type_name, tenant_id, made.id),
            client_id=made.client_id,
            secret=made.secret,
        )


@strawberry.type(description="The answer to `configurationPlan`.")
class ConfigurationPlanPayload:
    plan: ConfigurationPlan | None = strawberry.field(
        description="The plan; null if the document was refused."
    )
    errors: list[UserError] = strawberry.field(
        description="What is wrong with the document, at most 100; empty if it has a plan."
    )


@strawberry.input(description="An object to delete.")
class ConfigurationDelete:
    noun: str = strawberry.field(description=_NOUN_ABOUT)
    key: str = strawberry.field(description=f"{_KEY_ABOUT} One that is gone is nothing to do.")


@strawberry.input(description="A document, and how it is meant.")
class ConfigurationPlanInput:
    document: str = strawberry.field(
        description=(
            "YAML or JSON, at most 16777216 bytes, 32 levels and 1000000 values, without anchors, "
            "aliases, tags and repeated members. Its JSON schema is `configurationSchema`."
        )
    )
    keywords: JSON | None = strawberry.field(
        description=(
            "What stands in the document as `##NAME##` inside a text or as `@@NAME@@` for a whole "
            "value: an object of at most 500 names and JSON values. `TENANT_ISSUER` is the "
            "tenant's own address, `HASHES` and `AT_SIGNS` are the signs themselves."
        ),
        default=strawberry.UNSET,
    )
    deletes: list[ConfigurationDelete] | None = strawberry.field(
        description=(
            "Objects to delete, at most 10000. Nothing else is deleted, but for the client grants "
            "of an application or an API that is. Default none."
        ),
        default=strawberry.UNSET,
    )
