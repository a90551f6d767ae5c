"""Applications: registering, changing, removing, and their secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from tenantry.core.facts import (
    ApplicationType,
    ClientSigningAlgorithm,
    GrantType,
    ResponseTypeName,
    SigningAlgorithm,
    SubjectIdentifierType,
    TokenEndpointAuthMethod,
)
from tenantry.core.organizations import OrganizationRequireBehavior, OrganizationUsage
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.credentials import (
    ClientAuthenticationMethodsInput,
    NewClientAuthenticationMethodsInput,
    NewSignedRequestObjectInput,
    SignedRequestObjectInput,
    enabled,
    first_keys,
)
from tenantry.management.mutations.inputs import (
    CHANGED,
    SENT,
    ExistingObject,
    given,
    names,
    patch,
    sent,
)
from tenantry.management.mutations.payloads import Payload, deleted_field, object_field
from tenantry.management.mutations.unit import Outcome, run
from tenantry.management.permissions import (
    input_field_scopes,
    require_input_scopes,
)
from tenantry.management.types.application import Application
from tenantry.management.types.application_settings import ABOUT
from tenantry.management.types.claim_mapping import ClaimMappingInput
from tenantry.management.types.common import described, setting
from tenantry.services import applications, sectors
from tenantry.services.applications import ApplicationWithSecret
from tenantry.services.commands import ApplicationPatch, NewApplication

APART = ("client_secret", "connections", "client_authentication_methods", "signed_request_object")


@strawberry.input
class _Settings:
    name: str | None = setting(ABOUT, "name")
    external_id: str | None = setting(ABOUT, "external_id")
    description: str | None = setting(ABOUT, "description")
    application_type: ApplicationType | None = setting(ABOUT, "application_type")
    token_endpoint_auth_method: TokenEndpointAuthMethod | None = setting(
        ABOUT, "token_endpoint_auth_method"
    )
    grant_types: list[GrantType] | None = setting(ABOUT, "grant_types")
    response_types: list[ResponseTypeName] | None = setting(ABOUT, "response_types")
    scope: str | None = setting(ABOUT, "scope")
    redirect_uris: list[str] | None = setting(ABOUT, "redirect_uris")
    post_logout_redirect_uris: list[str] | None = setting(ABOUT, "post_logout_redirect_uris")
    web_origins: list[str] | None = setting(ABOUT, "web_origins")
    allowed_origins: list[str] | None = setting(ABOUT, "allowed_origins")
    initiate_login_uri: str | None = setting(ABOUT, "initiate_login_uri")
    contacts: list[str] | None = setting(ABOUT, "contacts")
    client_uri: str | None = setting(ABOUT, "client_uri")
    software_id: str | None = setting(ABOUT, "software_id")
    software_version: str | None = setting(ABOUT, "software_version")
    android_app_package_name: str | None = setting(ABOUT, "android_app_package_name")
    android_sha256_cert_fingerprints: list[str] | None = setting(
        ABOUT, "android_sha256_cert_fingerprints"
    )
    ios_team_id: str | None = setting(ABOUT, "ios_team_id")
    ios_app_bundle_identifier: str | None = setting(ABOUT, "ios_app_bundle_identifier")
    logo_uri: str | None = setting(ABOUT, "logo_uri")
    policy_uri: str | None = setting(ABOUT, "policy_uri")
    tos_uri: str | None = setting(ABOUT, "tos_uri")
    backchannel_logout_uri: str | None = setting(ABOUT, "backchannel_logout_uri")
    backchannel_logout_session_required: bool | None = setting(
        ABOUT, "backchannel_logout_session_required"
    )
    frontchannel_logout_uri: str | None = setting(ABOUT, "frontchannel_logout_uri")
    frontchannel_logout_session_required: bool | None = setting(
        ABOUT, "frontchannel_logout_session_required"
    )
    logout_confirmation: bool | None = setting(ABOUT, "logout_confirmation")
    application_metadata: JSON | None = setting(ABOUT, "application_metadata")
    claim_mappings: list[ClaimMappingInput] | None = setting(ABOUT, "claim_mappings")
    is_first_party: bool | None = setting(ABOUT, "is_first_party")
    oidc_conformant: bool | None = setting(ABOUT, "oidc_conformant")
    require_pkce: bool | None = setting(ABOUT, "require_pkce")
    organization_usage: OrganizationUsage | None = setting(ABOUT, "organization_usage")
    organization_require_behavior: OrganizationRequireBehavior | None = setting(
        ABOUT, "organization_require_behavior"
    )
    token_exchange_audiences: list[str] | None = setting(ABOUT, "token_exchange_audiences")
    id_token_lifetime: int | None = setting(ABOUT, "id_token_lifetime")
    refresh_token_rotation: bool | None = setting(ABOUT, "refresh_token_rotation")
    refresh_token_overlap: int | None = setting(ABOUT, "refresh_token_overlap")
    refresh_token_lifetime: int | None = setting(ABOUT, "refresh_token_lifetime")
    refresh_token_idle_lifetime: int | None = setting(ABOUT, "refresh_token_idle_lifetime")
    id_token_signed_response_alg: SigningAlgorithm | None = setting(
        ABOUT, "id_token_signed_response_alg"
    )
    jwks: JSON | None = setting(ABOUT, "jwks")
    jwks_uri: str | None = setting(ABOUT, "jwks_uri")
    token_endpoint_auth_signing_alg: ClientSigningAlgorithm | None = setting(
        ABOUT, "token_endpoint_auth_signing_alg"
    )
    request_object_signing_alg: ClientSigningAlgorithm | None = setting(
        ABOUT, "request_object_signing_alg"
    )
    request_uris: list[str] | None = setting(ABOUT, "request_uris")
    userinfo_signed_response_alg: SigningAlgorithm | None = setting(
        ABOUT, "userinfo_signed_response_alg"
    )
    default_max_age: int | None = setting(ABOUT, "default_max_age")
    require_auth_time: bool | None = setting(ABOUT, "require_auth_time")
    default_acr_values: list[str] | None = setting(ABOUT, "default_acr_values")
    subject_type: SubjectIdentifierType | None = setting(ABOUT, "subject_type")
    sector_identifier_uri: str | None = setting(ABOUT, "sector_identifier_uri")
    non_verifiable_callback_confirmation: bool | None = setting(
        ABOUT, "non_verifiable_callback_confirmation"
    )
    connections: list[str] | None = setting(ABOUT, "connections")


@strawberry.input(description="A new application.")
class ApplicationCreateInput(_Settings):
    name: str = described(ABOUT, "name")
    application_type: ApplicationType = described(ABOUT, "application_type")
    client_secret: str | None = setting(ABOUT, "client_secret")
    client_authentication_methods: NewClientAuthenticationMethodsInput | None = setting(
        ABOUT, "client_authentication_methods", directives=input_field_scopes("create:credentials")
    )
    signed_request_object: NewSignedRequestObjectInput | None = setting(
        ABOUT, "signed_request_object", directives=input_field_scopes("create:credentials")
    )


@strawberry.input(description="Changes of an application. Lists are replaced as a whole.")
class ApplicationUpdateInput(_Settings, ExistingObject):
    client_secret: str | None = setting(
        ABOUT, "client_secret", directives=input_field_scopes("update:application_keys")
    )
    client_authentication_methods: ClientAuthenticationMethodsInput | None = setting(
        ABOUT, "client_authentication_methods", directives=input_field_scopes("update:credentials")
    )
    signed_request_object: SignedRequestObjectInput | None = setting(
        ABOUT, "signed_request_object", directives=input_field_scopes("update:credentials")
    )


@strawberry.input(description="An application to delete.")
class ApplicationDeleteInput(ExistingObject):
    pass


@strawberry.input(description="An application that gets a new secret.")
class ApplicationSecretRotateInput(ExistingObject):
    pass


_SECRET_ABOUT = (
    "The secret that was made just now, shown this once; null if none was made or you sent it."
)


@strawberry.type(description="The answer to `applicationCreate`.")
class ApplicationCreatePayload(Payload):
    application: Application | None = object_field("application")
    client_secret: str | None = strawberry.field(description=_SECRET_ABOUT)


@strawberry.type(description="The answer to `applicationUpdate`.")
class ApplicationUpdatePayload(Payload):
    application: Application | None = object_field("application")
    client_secret: str | None = strawberry.field(
        description=f"{_SECRET_ABOUT} A public application that becomes confidential gets one."
    )


@strawberry.type(description="The answer to `applicationDelete`.")
class ApplicationDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("application")


@strawberry.type(description="The answer to `applicationSecretRotate`.")
class ApplicationSecretRotatePayload(Payload):
    application: Application | None = object_field("application")
    client_secret: str | None = strawberry.field(description=_SECRET_ABOUT)


def _application(info: Info, outcome: Outcome[ApplicationWithSecret]) -> Application | None:
    done = outcome.value
    return Application.of(done.application, info.context.tenant_id) if done else None


def _secret(outcome: Outcome[ApplicationWithSecret]) -> str | None:
    return outcome.value.client_secret if outcome.value else None


def _local(info: Info, id: str) -> str:
    return local_id("Application", info.context.tenant_id, id)


@strawberry.type
class ApplicationMutations:
    @field(
        "Registers an application. A confidential one gets a secret, shown once.",
        "create:applications",
    )
    async def application_create(
        self, info: Info, input: Annotated[ApplicationCreateInput, SENT]
    ) -> ApplicationCreatePayload | None:
        context = info.context
        require_input_scopes(context, input)
        settings, keys = first_keys(input)
        values = {**given(input, *APART), **settings}
        command = NewApplication(
            values,
            sent(input.client_secret),
            names(input.connections),
            await sectors.fetch_for_new(context.runtime, context.tenant_id, values),
            keys,
        )
        outcome = await run(info, ApplicationWithSecret, applications.create, command)
        return ApplicationCreatePayload(
            application=_application(info, outcome),
            client_secret=_secret(outcome),
            errors=outcome.errors,
        )

    @field(
        "Changes the settings of an application.",
        "update:applications",
    )
    async def application_update(
        self, info: Info, input: Annotated[ApplicationUpdateInput, CHANGED]
    ) -> ApplicationUpdatePayload | None:
        context = info.context
        require_input_scopes(context, input)
        changes = patch(_local(info, input.id), input, *APART)
        changes = replace(changes, values={**changes.values, **enabled(input, context.tenant_id)})
        command = ApplicationPatch(
            changes,
            sent(input.client_secret),
            names(input.connections),
            await sectors.fetch_for_change(
                context.runtime, context.tenant_id, context.caller, changes.id, changes.values
            ),
        )
        outcome = await run(info, ApplicationWithSecret, applications.update, command)
        return ApplicationUpdatePayload(
            application=_application(info, outcome),
            client_secret=_secret(outcome),
            errors=outcome.errors,
        )

    @field(
        "Deletes an application with its grants; its use ends at once.",
        "delete:applications",
    )
    async def application_delete(
        self, info: Info, input: Annotated[ApplicationDeleteInput, SENT]
    ) -> ApplicationDeletePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, str, applications.delete, command)
        return ApplicationDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )

    @field(
        "Makes a new client secret, shown once. The old one ends at once.",
        "update:application_keys",
    )
    async def application_secret_rotate(
        self, info: Info, input: Annotated[ApplicationSecretRotateInput, SENT]
    ) -> ApplicationSecretRotatePayload | None:
        command = patch(_local(info, input.id), input)
        outcome = await run(info, ApplicationWithSecret, applications.rotate_secret, command)
        return ApplicationSecretRotatePayload(
            application=_application(info, outcome),
            client_secret=_secret(outcome),
            errors=outcome.errors,
        )
