from __future__ import annotations

from sqlmodel import Index

from tenantry.models.base import StoredRow, json_field


class Consent(StoredRow, table=True):
    """A user grant: what a user allowed an application to do at an API."""

    __tablename__ = "consents"
    __table_args__ = (
        Index("consents_triple", "tenant_id", "user_id", "client_id", "audience", unique=True),
        Index("consents_client", "tenant_id", "client_id"),
    )
    user_id: str
    client_id: str
    audience: str
    scopes: list[str] = json_field()
