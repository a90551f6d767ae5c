from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Index

from tenantry.models.base import StoredRow, json_field, only_where


class Application(StoredRow, table=True):
    """An OAuth client."""

    __tablename__ = "applications"
    __table_args__ = (
        Index("applications_client_id", "tenant_id", "client_id", unique=True),
        Index(
            "applications_external_id",
            "tenant_id",
            "external_id",
            unique=True,
            **only_where("deleted_at IS NULL"),
        ),
        Index("applications_name", "tenant_id", "name", "id"),
        Index("applications_deleted", "tenant_id", "id", **only_where("deleted_at IS NOT NULL")),
    )
    client_id: str
    external_id: str
    name: str
    description: str
    application_type: str
    token_endpoint_auth_method: str
    grant_types: list[str] = json_field()
    response_types: list[str] = json_field()
    scope: str | None
    redirect_uris: list[str] = json_field()
    post_logout_redirect_uris: list[str] = json_field()
    web_origins: list[str] = json_field()
    allowed_origins: list[str] = json_field()
    initiate_login_uri: str | None
    is_token_endpoint_ip_header_trusted: bool
    contacts: list[str] = json_field()
    client_uri: str | None
    software_id: str | None
    software_version: str | None
    android_app_package_name: str | None
    android_sha256_cert_fingerprints: list[str] = json_field()
    ios_team_id: str | None
    ios_app_bundle_identifier: str | None
    logo_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    backchannel_logout_uri: str | None
    backchannel_logout_session_required: bool
    frontchannel_logout_uri: str | None
    frontchannel_logout_session_required: bool
    async_approval_notification_channels: list[str] = json_field()
    backchannel_token_delivery_mode: str
    backchannel_client_notification_endpoint: str | None
    backchannel_authentication_request_signing_alg: str | None
    backchannel_user_code_parameter: bool
    logout_confirmation: bool | None
    is_first_party: bool
    oidc_conformant: bool
    require_pkce: bool
    dpop_bound_access_tokens: bool
    compliance_level: str | None
    id_token_lifetime: int
    refresh_token_rotation: bool
    refresh_token_overlap: int
    refresh_token_lifetime: int
    refresh_token_idle_lifetime: int
    id_token_signed_response_alg: str
    userinfo_signed_response_alg: str | None
    authorization_signed_response_alg: str
    authorization_encrypted_response_alg: str | None
    authorization_encrypted_response_enc: str | None
    default_max_age: int | None
    require_auth_time: bool
    default_acr_values: list[str] = json_field()
    subject_type: str
    sector_identifier_uri: str | None
    non_verifiable_callback_confirmation: bool | None
    application_metadata: dict[str, str] = json_field()
    claim_mappings: list[dict[str, Any]] = json_field()
    jwks: str | None
    jwks_uri: str | None
    token_endpoint_auth_signing_alg: str | None
    request_object_signing_alg: str | None
    tls_client_certificate_bound_access_tokens: bool
    tls_client_auth_subject_dn: str | None
    tls_client_auth_san_dns: str | None
    tls_client_auth_san_uri: str | None
    tls_client_auth_san_ip: str | None
    tls_client_auth_san_email: str | None
    client_authentication_credentials: list[str] = json_field()
    request_object_credentials: list[str] = json_field()
    require_signed_request_object: bool
    request_object_lifetime: int | None
    authorization_details_types: list[str] = json_field()
    require_pushed_authorization_requests: bool
    pushed_authorization_request_lifetime: int | None
    request_uris: list[str] = json_field()
    secret_digest: str | None
    secret_envelope: str | None
    token_exchange_audiences: list[str] = json_field()
    organization_usage: str
    organization_require_behavior: str
    is_dynamically_registered: bool
    registration_token_digest: str | None
    is_system: bool
    deleted_at: datetime | None = None
