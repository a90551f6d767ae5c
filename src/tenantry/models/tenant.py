from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, Index, SQLModel

from tenantry.models.base import json_field, only_where


class Tenant(SQLModel, table=True):
    """A tenant. The row outlives it, so that its name is never used again."""

    __tablename__ = "tenants"
    __table_args__ = (
        Index(
            "tenants_root", "is_root", unique=True, **only_where("is_root IS TRUE", "is_root IS 1")
        ),
        Index(
            "tenants_to_prune",
            "deleted_at",
            **only_where("deleted_at IS NOT NULL AND pruned_at IS NULL"),
        ),
    )
    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    is_root: bool
    environment: str
    friendly_name: str
    logo_uri: str | None
    support_email: str | None
    support_url: str | None
    error_page_url: str | None
    default_audience: str | None
    default_directory: str | None
    allowed_logout_urls: list[str] = json_field()
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
    signing_algorithms: list[str] = json_field()
    claim_mappings: list[dict[str, Any]] = json_field()
    acr_values_supported: list[str] = json_field()
    non_verifiable_callback_confirmation: bool
    device_user_code_charset: str
    device_user_code_mask: str
    enable_dynamic_client_registration: bool
    initiate_login_uri: str | None
    resource_parameter_profile: str
    trusted_documents_only: bool
    require_dpop_nonce: bool
    access_control_list: list[dict[str, Any]] = json_field()
    allow_organization_name_in_authentication_api: bool
    pushed_authorization_requests_supported: bool
    request_object_encryption_supported: bool
    customized_consent_template: str | None
    management_max_age: int | None
    require_login_for_approval_links: bool
    email_templates: list[dict[str, Any]] = json_field()
    push_notification_url: str | None
    push_secret_envelope: str | None
    revision: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    pruned_at: datetime | None = None
