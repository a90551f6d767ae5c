"""APIs: registering, changing, removing."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.authorization_details import ConsentPolicy
from tenantry.core.facts import (
    AccessPolicy,
    ProofOfPossession,
    ResourceServerFacts,
    SigningAlgorithm,
    TokenDialect,
)
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.inputs import CHANGED, SENT, ExistingObject, given, patch
from tenantry.management.mutations.payloads import Payload, deleted_field, object_field
from tenantry.management.mutations.unit import Outcome, run
from tenantry.management.types.common import described, setting
from tenantry.management.types.resource_server import (
    ABOUT,
    AuthorizationDetailsTypeInput,
    ResourceServer,
    ScopeInput,
    TokenEncryptionInput,
)
from tenantry.services import resource_servers
from tenantry.services.resource_servers import ResourceServerWithSecret


@strawberry.input
class _Settings:
    name: str | None = setting(ABOUT, "name")
    scopes: list[ScopeInput] | None = setting(ABOUT, "scopes")
    token_lifetime: int | None = setting(ABOUT, "token_lifetime")
    token_lifetime_for_web: int | None = setting(ABOUT, "token_lifetime_for_web")
    token_dialect: TokenDialect | None = setting(ABOUT, "token_dialect")
    token_encryption: TokenEncryptionInput | None = setting(ABOUT, "token_encryption")
    enforce_policies: bool | None = setting(ABOUT, "enforce_policies")
    skip_consent_for_first_party: bool | None = setting(ABOUT, "skip_consent_for_first_party")
    allow_offline_access: bool | None = setting(ABOUT, "allow_offline_access")
    proof_of_possession: ProofOfPossession | None = setting(ABOUT, "proof_of_possession")
    user_access_policy: AccessPolicy | None = setting(ABOUT, "user_access_policy")
    client_access_policy: AccessPolicy | None = setting(ABOUT, "client_access_policy")
    authorization_details: list[AuthorizationDetailsTypeInput] | None = setting(
        ABOUT, "authorization_details"
    )
    require_pushed_authorization_details: bool | None = setting(
        ABOUT, "require_pushed_authorization_details"
    )
    consent_policy: ConsentPolicy | None = setting(ABOUT, "consent_policy")


@strawberry.input(description="A new API.")
class ResourceServerCreateInput(_Settings):
    name: str = described(ABOUT, "name")
    identifier: str = described(ABOUT, "identifier")
    signing_alg: SigningAlgorithm | None = setting(ABOUT, "signing_alg")


@strawberry.input(description="Changes of an API. Lists are replaced as a whole.")
class ResourceServerUpdateInput(_Settings, ExistingObject):
    pass


@strawberry.input(description="An API to delete.")
class ResourceServerDeleteInput(ExistingObject):
    pass


@strawberry.type(description="The answer to `resourceServerCreate`.")
class ResourceServerCreatePayload(Payload):
    resource_server: ResourceServer | None = object_field("API")
    signing_secret: str | None = strawberry.field(
        description=(
            "The secret of `HS256` that was made just now, shown this once: its bytes as ASCII "
            "text are the key. Null for every other algorithm."
        )
    )


@strawberry.input(description="An API that gets a new signing secret.")
class ResourceServerSecretRotateInput(ExistingObject):
    pass


@strawberry.type(description="The answer to `resourceServerSecretRotate`.")
class ResourceServerSecretRotatePayload(Payload):
    resource_server: ResourceServer | None = object_field("API")
    signing_secret: str | None = strawberry.field(
        description=(
            "The new secret, shown this once: its bytes as ASCII text are the key of `HS256`."
        )
    )


@strawberry.type(description="The answer to `resourceServerUpdate`.")
class ResourceServerUpdatePayload(Payload):
    resource_server: ResourceServer | None = object_field("API")


@strawberry.type(description="The answer to `resourceServerDelete`.")
class ResourceServerDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("API")


def _published(info: Info, outcome: Outcome[ResourceServerFacts]) -> ResourceServer | None:
    return ResourceServer.of(outcome.value, info.context.tenant_id) if outcome.value else None


def _local(info: Info, id: str) -> str:
    return local_id("ResourceServer", info.context.tenant_id, id)


@strawberry.type
class ResourceServerMutations:
    @field(
        "Registers an API, so that applications can get tokens for it. One that signs by HS256 "
        "gets a secret, shown once.",
        "create:resource_servers",
    )
    async def resource_server_create(
        self, info: Info, input: Annotated[ResourceServerCreateInput, SENT]
    ) -> ResourceServerCreatePayload | None:
        outcome = await run(info, ResourceServerWithSecret, resource_servers.create, given(input))
        done, tenant_id = outcome.value, info.context.tenant_id
        return ResourceServerCreatePayload(
            resource_server=ResourceServer.of(done.resource_server, tenant_id) if done else None,
            signing_secret=done.signing_secret if done else None,
            errors=outcome.errors,
        )

    @field(
        "Changes the settings of an API.",
        "update:resource_servers",
    )
    async def resource_server_update(
        self, info: Info, input: Annotated[ResourceServerUpdateInput, CHANGED]
    ) -> ResourceServerUpdatePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, ResourceServerFacts, resource_servers.update, command)
        return ResourceServerUpdatePayload(
            resource_server=_published(info, outcome), errors=outcome.errors
        )

    @field(
        "Makes a new secret for an API that signs by HS256, shown once. Tokens that the old one "
        "signed end at once.",
        "update:resource_servers",
    )
    async def resource_server_secret_rotate(
        self, info: Info, input: Annotated[ResourceServerSecretRotateInput, SENT]
    ) -> ResourceServerSecretRotatePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(
            info, ResourceServerWithSecret, resource_servers.rotate_signing_secret, command
        )
        done, tenant_id = outcome.value, info.context.tenant_id
        return ResourceServerSecretRotatePayload(
            resource_server=ResourceServer.of(done.resource_server, tenant_id) if done else None,
            signing_secret=done.signing_secret if done else None,
            errors=outcome.errors,
        )

    @field(
        "Deletes an API with its client grants.",
        "delete:resource_servers",
    )
    async def resource_server_delete(
        self, info: Info, input: Annotated[ResourceServerDeleteInput, SENT]
    ) -> ResourceServerDeletePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, str, resource_servers.delete, command)
        return ResourceServerDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )
