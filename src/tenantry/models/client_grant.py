from __future__ import annotations

from sqlmodel import Index

from tenantry.models.base import StoredRow, json_field


class ClientGrant(StoredRow, table=True):
    """What an application may ask of an API, once for each subject type."""

    __tablename__ = "client_grants"
    __table_args__ = (
        Index(
            "client_grants_pair",
            "tenant_id",
            "client_id",
            "audience",
            "subject_type",
            unique=True,
        ),
        Index("client_grants_audience", "tenant_id", "audience", "id"),
    )
    client_id: str
    audience: str
    subject_type: str
    scopes: list[str] = json_field()
    allow_all_scopes: bool
    organization_usage: str
    allow_any_organization: bool
    authorization_details_types: list[str] = json_field()
