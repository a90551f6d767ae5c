from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, Index, SQLModel

from tenantry.models.base import StoredRow, json_field


class CustomDomain(StoredRow, table=True):
    """A host that a tenant says is its own. Several tenants may wait for one."""

    __tablename__ = "custom_domains"
    __table_args__ = (Index("custom_domains_domain", "tenant_id", "domain", unique=True),)
    domain: str
    type: str
    status: str
    verification_value: str
    verified_at: datetime | None
    custom_client_ip_header: str | None
    domain_metadata: dict[str, Any] = json_field()
    jwks: str | None
    edge_key_digest: str | None


class VerifiedDomain(SQLModel, table=True):
    """Whose a host is: it belongs to the installation, and is found by the host."""

    __tablename__ = "verified_domains"
    __table_args__ = (Index("verified_domains_owner", "owner_id"),)
    domain: str = Field(primary_key=True)
    owner_id: str
    custom_domain_id: str
