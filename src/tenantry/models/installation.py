from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel


class Installation(SQLModel, table=True):
    """One row. `key_check` opens only under the encryption key of this installation."""

    __tablename__ = "installation"
    id: int = Field(primary_key=True)
    key_check: str
    created_at: datetime


class Epoch(SQLModel, table=True):
    """Counts the changes of configuration: of a tenant, or of names and hosts."""

    __tablename__ = "epochs"
    scope: str = Field(primary_key=True)
    value: int = Field(sa_column_kwargs={"nullable": False})


class Lease(SQLModel, table=True):
    """Which process runs a background job, and until when."""

    __tablename__ = "leases"
    name: str = Field(primary_key=True)
    holder: str
    expires_at: datetime
