from __future__ import annotations

from typing import Any

from sqlmodel import Field, Index

from tenantry.models.base import Json, StoredRow, json_field


class ResourceServer(StoredRow, table=True):
    """An API. `signing_secret` is an envelope, where it signs with a secret of its own."""

    __tablename__ = "resource_servers"
    __table_args__ = (
        Index("resource_servers_identifier", "tenant_id", "identifier", unique=True),
        Index("resource_servers_name", "tenant_id", "name", "id"),
    )
    identifier: str
    name: str
    scopes: list[dict[str, str]] = json_field()
    signing_alg: str
    token_lifetime: int
    token_lifetime_for_web: int
    token_dialect: str
    token_encryption: dict[str, Any] | None = Field(default=None, sa_type=Json)
    signing_secret: str | None = None
    skip_consent_for_first_party: bool
    allow_offline_access: bool
    user_access_policy: str
    client_access_policy: str
    enforce_policies: bool
    proof_of_possession: str | None = None
    authorization_details: list[dict[str, str]] = json_field()
    require_pushed_authorization_details: bool = True
    consent_policy: str
    is_system: bool
