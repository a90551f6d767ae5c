"""Tenants: making and deleting them at the root, changing the one of the address."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.facts import (
    DeviceUserCodeCharset,
    Environment,
    ResourceParameterProfile,
    SigningAlgorithm,
    TenantFacts,
)
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id, tenant_local_id
from tenantry.management.mutations.inputs import (
    CHANGED,
    REVISION_ABOUT,
    SENT,
    ExistingObject,
    given,
    patch,
    sent,
)
from tenantry.management.mutations.payloads import Payload, deleted_field, object_field
from tenantry.management.mutations.unit import Outcome, run
from tenantry.management.types.access_rule import AccessRuleInput
from tenantry.management.types.claim_mapping import ClaimMappingInput
from tenantry.management.types.common import described, setting
from tenantry.management.types.email_template import EmailTemplateInput
from tenantry.management.types.tenant import ABOUT, Tenant
from tenantry.services import tenants


@strawberry.input
class _Settings:
    environment: Environment | None = setting(ABOUT, "environment")
    friendly_name: str | None = setting(ABOUT, "friendly_name")
    logo_uri: str | None = setting(ABOUT, "logo_uri")
    support_email: str | None = setting(ABOUT, "support_email")
    support_url: str | None = setting(ABOUT, "support_url")
    error_page_url: str | None = setting(ABOUT, "error_page_url")
    allowed_logout_urls: list[str] | None = setting(ABOUT, "allowed_logout_urls")
    session_idle_lifetime: int | None = setting(ABOUT, "session_idle_lifetime")
    session_lifetime: int | None = setting(ABOUT, "session_lifetime")
    use_scope_descriptions_for_consent: bool | None = setting(
        ABOUT, "use_scope_descriptions_for_consent"
    )
    enable_application_connections: bool | None = setting(ABOUT, "enable_application_connections")
    end_session_endpoint_discovery: bool | None = setting(ABOUT, "end_session_endpoint_discovery")
    logout_confirmation: bool | None = setting(ABOUT, "logout_confirmation")
    authorization_response_iss_parameter_supported: bool | None = setting(
        ABOUT, "authorization_response_iss_parameter_supported"
    )
    management_max_age: int | None = setting(ABOUT, "management_max_age")
    customized_consent_template: str | None = setting(ABOUT, "customized_consent_template")
    pushed_authorization_requests_supported: bool | None = setting(
        ABOUT, "pushed_authorization_requests_supported"
    )
    request_object_encryption_supported: bool | None = setting(
        ABOUT, "request_object_encryption_supported"
    )
    require_login_for_approval_links: bool | None = setting(
        ABOUT, "require_login_for_approval_links"
    )
    remove_alg_from_jwks: bool | None = setting(ABOUT, "remove_alg_from_jwks")
    enable_mtls_endpoint_aliases: bool | None = setting(ABOUT, "enable_mtls_endpoint_aliases")
    refresh_token_revocation_deletes_grant: bool | None = setting(
        ABOUT, "refresh_token_revocation_deletes_grant"
    )
    signing_algorithms: list[SigningAlgorithm] | None = setting(ABOUT, "signing_algorithms")
    claim_mappings: list[ClaimMappingInput] | None = setting(ABOUT, "claim_mappings")
    acr_values_supported: list[str] | None = setting(ABOUT, "acr_values_supported")
    non_verifiable_callback_confirmation: bool | None = setting(
        ABOUT, "non_verifiable_callback_confirmation"
    )
    device_user_code_charset: DeviceUserCodeCharset | None = setting(
        ABOUT, "device_user_code_charset"
    )
    device_user_code_mask: str | None = setting(ABOUT, "device_user_code_mask")
    enable_dynamic_client_registration: bool | None = setting(
        ABOUT, "enable_dynamic_client_registration"
    )
    initiate_login_uri: str | None = setting(ABOUT, "initiate_login_uri")
    allow_organization_name_in_authentication_api: bool | None = setting(
        ABOUT, "allow_organization_name_in_authentication_api"
    )
    resource_parameter_profile: ResourceParameterProfile | None = setting(
        ABOUT, "resource_parameter_profile"
    )
    require_dpop_nonce: bool | None = setting(ABOUT, "require_dpop_nonce")
    trusted_documents_only: bool | None = setting(ABOUT, "trusted_documents_only")
    email_templates: list[EmailTemplateInput] | None = setting(ABOUT, "email_templates")
    push_notification_url: str | None = setting(ABOUT, "push_notification_url")
    access_control_list: list[AccessRuleInput] | None = setting(ABOUT, "access_control_list")


@strawberry.input(description="A new tenant.")
class TenantCreateInput(_Settings):
    name: str = described(ABOUT, "name")


@strawberry.input(description="Changes of the tenant of this address.")
class TenantUpdateInput(_Settings):
    id: strawberry.ID | None = strawberry.field(
        description="The id of the tenant of this address. It may be left out.",
        default=strawberry.UNSET,
    )
    expected_revision: int | None = strawberry.field(
        description=REVISION_ABOUT, default=strawberry.UNSET
    )
    default_audience: str | None = setting(ABOUT, "default_audience")
    default_directory: str | None = setting(ABOUT, "default_directory")


@strawberry.input(description="A tenant to delete.")
class TenantDeleteInput(ExistingObject):
    pass


@strawberry.type(description="The answer to `tenantCreate`.")
class TenantCreatePayload(Payload):
    tenant: Tenant | None = object_field("tenant")


@strawberry.type(description="The answer to `tenantUpdate`.")
class TenantUpdatePayload(Payload):
    tenant: Tenant | None = object_field("tenant")


@strawberry.type(description="The answer to `tenantDelete`.")
class TenantDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("tenant")


def _published(info: Info, outcome: Outcome[TenantFacts]) -> Tenant | None:
    return Tenant.of(outcome.value, info.context.runtime.addresses) if outcome.value else None


@strawberry.type
class TenantMutations:
    @field(
        "Makes a tenant with its database connection, and its management API and explorer at the "
        "`managementIdentifier` in the answer. Only at the root's own address.",
        "create:tenants",
    )
    async def tenant_create(
        self, info: Info, input: Annotated[TenantCreateInput, SENT]
    ) -> TenantCreatePayload | None:
        addresses = info.context.runtime.addresses
        outcome = await run(
            info, TenantFacts, tenants.create, addresses, input.name, given(input, "name")
        )
        return TenantCreatePayload(tenant=_published(info, outcome), errors=outcome.errors)

    @field(
        "Changes the settings of the tenant of this address.",
        "update:tenant_settings",
    )
    async def tenant_update(
        self, info: Info, input: Annotated[TenantUpdateInput, CHANGED]
    ) -> TenantUpdatePayload | None:
        own, named = info.context.tenant_id, sent(input.id)
        command = patch(own if named is None else local_id("Tenant", own, named), input)
        outcome = await run(
            info, TenantFacts, tenants.update, info.context.runtime.addresses, command
        )
        return TenantUpdatePayload(tenant=_published(info, outcome), errors=outcome.errors)

    @field(
        "Deletes a tenant at once and for good; its name stays taken. Only at the root's own "
        "address.",
        "delete:tenants",
    )
    async def tenant_delete(
        self, info: Info, input: Annotated[TenantDeleteInput, SENT]
    ) -> TenantDeletePayload | None:
        outcome = await run(info, str, tenants.delete, patch(tenant_local_id(input.id), input))
        return TenantDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )
