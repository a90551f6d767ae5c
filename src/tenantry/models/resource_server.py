from __future__ import annotations

from sqlmodel import Index

from tenantry.models.base import StoredRow, json_field


class ResourceServer(StoredRow, table=True):
    """An API."""

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
    token_dialect: str
    skip_consent_for_first_party: bool
    user_access_policy: str
    client_access_policy: str
    enforce_policies: bool
    is_system: bool
