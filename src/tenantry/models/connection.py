from __future__ import annotations

from sqlmodel import Field, Index, SQLModel

from tenantry.models.base import StoredRow


class Connection(StoredRow, table=True):
    """A source of users."""

    __tablename__ = "connections"
    __table_args__ = (Index("connections_name", "tenant_id", "name", unique=True),)
    name: str
    display_name: str
    strategy: str
    password_minimum_length: int
    is_domain_connection: bool


class ConnectionApplication(SQLModel, table=True):
    """A connection that an application's users may sign in through."""

    __tablename__ = "connection_applications"
    __table_args__ = (Index("connection_applications_connection", "tenant_id", "connection_id"),)
    tenant_id: str = Field(primary_key=True)
    application_id: str = Field(primary_key=True)
    connection_id: str = Field(primary_key=True)
