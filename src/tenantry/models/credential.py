from __future__ import annotations

from datetime import datetime

from sqlmodel import Index

from tenantry.models.base import StoredRow


class Credential(StoredRow, table=True):
    """A public key, a certificate or a subject's name that was uploaded for an application."""

    __tablename__ = "credentials"
    __table_args__ = (Index("credentials_kid", "tenant_id", "application_id", "kid", unique=True),)
    application_id: str
    name: str
    credential_type: str
    alg: str | None
    kid: str
    x5t_s256: str | None
    jwk: str | None
    subject_dn: str | None
    expires_at: datetime | None
