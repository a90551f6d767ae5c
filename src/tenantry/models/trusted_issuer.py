from __future__ import annotations

from sqlmodel import Index

from tenantry.models.base import StoredRow, json_field


class TrustedIssuer(StoredRow, table=True):
    """Somebody else whose assertions about users count here."""

    __tablename__ = "trusted_issuers"
    __table_args__ = (Index("trusted_issuers_issuer", "tenant_id", "issuer", unique=True),)
    issuer: str
    jwks: str | None
    jwks_uri: str | None
    allowed_audiences: list[str] = json_field()
    subject: str
    connection: str | None
