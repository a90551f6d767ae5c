"""The settings of a tenant."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.access_control import AccessRule
from tenantry.core.emails import EmailTemplate
from tenantry.core.stored import Stored
from tenantry.core.values import (
    ClaimMapping,
    DeviceUserCodeCharset,
    Environment,
    ResourceParameterProfile,
    SigningAlgorithm,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantFacts(Stored):
    """Lifetimes are in seconds."""

    name: str
    is_root: bool
    environment: Environment
    friendly_name: str
    logo_uri: str | None
    support_email: str | None
    support_url: str | None
    error_page_url: str | None
    default_audience: str | None
    default_directory: str | None
    allowed_logout_urls: tuple[str, ...]
    session_idle_lifetime: int
    session_lifetime: int
    use_scope_descriptions_for_consent: bool
    enable_application_connections: bool
    end_session_endpoint_discovery: bool
    logout_confirmation: bool
    authorization_response_iss_parameter_supported: bool
    remove_alg_from_jwks: bool
    enable_mtls_endpoint_aliases: bool
    refresh_token_revocation_deletes_grant: bool
    signing_algorithms: tuple[SigningAlgorithm, ...]
    claim_mappings: tuple[ClaimMapping, ...]
    acr_values_supported: tuple[str, ...]
    non_verifiable_callback_confirmation: bool
    device_user_code_charset: DeviceUserCodeCharset
    device_user_code_mask: str
    enable_dynamic_client_registration: bool
    initiate_login_uri: str | None
    resource_parameter_profile: ResourceParameterProfile
    trusted_documents_only: bool
    require_dpop_nonce: bool
    access_control_list: tuple[AccessRule, ...]
    allow_organization_name_in_authentication_api: bool
    pushed_authorization_requests_supported: bool
    request_object_encryption_supported: bool
    customized_consent_template: str | None
    management_max_age: int | None
    require_login_for_approval_links: bool
    email_templates: tuple[EmailTemplate, ...]
    push_notification_url: str | None
    push_secret_envelope: str | None
