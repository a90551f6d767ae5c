from __future__ import annotations

from datetime import datetime

from sqlmodel import Index

from tenantry.models.base import StoredRow, json_field, only_where


class Application(StoredRow, table=True):
    """An OAuth client."""

    __tablename__ = "applications"
    __table_args__ = (
        Index("applications_client_id", "tenant_id", "client_id", unique=True),
        Index("applications_name", "tenant_id", "name", "id"),
        Index("applications_deleted", "tenant_id", "id", **only_where("deleted_at IS NOT NULL")),
    )
    client_id: str
    name: str
    description: str
    application_type: str
    token_endpoint_auth_method: str
    grant_types: list[str] = json_field()
    redirect_uris: list[str] = json_field()
    post_logout_redirect_uris: list[str] = json_field()
    web_origins: list[str] = json_field()
    allowed_origins: list[str] = json_field()
    initiate_login_uri: str | None
    logo_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    is_first_party: bool
    oidc_conformant: bool
    require_pkce: bool
    id_token_lifetime: int
    id_token_signed_response_alg: str
    secret_digest: str | None
    is_system: bool
    deleted_at: datetime | None = None
