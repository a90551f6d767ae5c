"""The settings of an application as inputs: all optional, none with a default of its own."""

from __future__ import annotations

import strawberry
from strawberry.scalars import JSON

from tenantry.core.backchannel import BackchannelTokenDeliveryMode, NotificationChannel
from tenantry.core.compliance import ComplianceLevel
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
from tenantry.management.types.application_settings import ABOUT
from tenantry.management.types.claim_mapping import ClaimMappingInput
from tenantry.management.types.common import setting
from tenantry.management.types.message_encryption import (
    ContentEncryptionAlgorithm,
    MessageEncryptionAlgorithm,
)


@strawberry.input
class ApplicationSettings:
    """What creating and changing an application have in common."""

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
    is_token_endpoint_ip_header_trusted: bool | None = setting(
        ABOUT, "is_token_endpoint_ip_header_trusted"
    )
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
    async_approval_notification_channels: list[NotificationChannel] | None = setting(
        ABOUT, "async_approval_notification_channels"
    )
    backchannel_token_delivery_mode: BackchannelTokenDeliveryMode | None = setting(
        ABOUT, "backchannel_token_delivery_mode"
    )
    backchannel_client_notification_endpoint: str | None = setting(
        ABOUT, "backchannel_client_notification_endpoint"
    )
    backchannel_authentication_request_signing_alg: ClientSigningAlgorithm | None = setting(
        ABOUT, "backchannel_authentication_request_signing_alg"
    )
    backchannel_user_code_parameter: bool | None = setting(ABOUT, "backchannel_user_code_parameter")
    logout_confirmation: bool | None = setting(ABOUT, "logout_confirmation")
    application_metadata: JSON | None = setting(ABOUT, "application_metadata")
    claim_mappings: list[ClaimMappingInput] | None = setting(ABOUT, "claim_mappings")
    is_first_party: bool | None = setting(ABOUT, "is_first_party")
    oidc_conformant: bool | None = setting(ABOUT, "oidc_conformant")
    compliance_level: ComplianceLevel | None = setting(ABOUT, "compliance_level")
    require_pkce: bool | None = setting(ABOUT, "require_pkce")
    dpop_bound_access_tokens: bool | None = setting(ABOUT, "dpop_bound_access_tokens")
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
    tls_client_certificate_bound_access_tokens: bool | None = setting(
        ABOUT, "tls_client_certificate_bound_access_tokens"
    )
    tls_client_auth_subject_dn: str | None = setting(ABOUT, "tls_client_auth_subject_dn")
    tls_client_auth_san_dns: str | None = setting(ABOUT, "tls_client_auth_san_dns")
    tls_client_auth_san_uri: str | None = setting(ABOUT, "tls_client_auth_san_uri")
    tls_client_auth_san_ip: str | None = setting(ABOUT, "tls_client_auth_san_ip")
    tls_client_auth_san_email: str | None = setting(ABOUT, "tls_client_auth_san_email")
    request_object_signing_alg: ClientSigningAlgorithm | None = setting(
        ABOUT, "request_object_signing_alg"
    )
    request_object_lifetime: int | None = setting(ABOUT, "request_object_lifetime")
    require_pushed_authorization_requests: bool | None = setting(
        ABOUT, "require_pushed_authorization_requests"
    )
    pushed_authorization_request_lifetime: int | None = setting(
        ABOUT, "pushed_authorization_request_lifetime"
    )
    authorization_details_types: list[str] | None = setting(ABOUT, "authorization_details_types")
    request_uris: list[str] | None = setting(ABOUT, "request_uris")
    userinfo_signed_response_alg: SigningAlgorithm | None = setting(
        ABOUT, "userinfo_signed_response_alg"
    )
    authorization_signed_response_alg: SigningAlgorithm | None = setting(
        ABOUT, "authorization_signed_response_alg"
    )
    authorization_encrypted_response_alg: MessageEncryptionAlgorithm | None = setting(
        ABOUT, "authorization_encrypted_response_alg"
    )
    authorization_encrypted_response_enc: ContentEncryptionAlgorithm | None = setting(
        ABOUT, "authorization_encrypted_response_enc"
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
