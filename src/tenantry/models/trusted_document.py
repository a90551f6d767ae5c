from __future__ import annotations

from sqlmodel import Index

from tenantry.models.base import StoredRow


class TrustedDocument(StoredRow, table=True):
    """A document of the management API that may be run by its digest."""

    __tablename__ = "trusted_documents"
    __table_args__ = (Index("trusted_documents_digest", "tenant_id", "digest", unique=True),)
    name: str
    digest: str
    document: str
