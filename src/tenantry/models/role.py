from __future__ import annotations

from sqlmodel import Field, Index, SQLModel

from tenantry.models.base import StoredRow


class Role(StoredRow, table=True):
    """A named set of permissions that users are given."""

    __tablename__ = "roles"
    __table_args__ = (Index("roles_name", "tenant_id", "name", unique=True),)
    name: str
    description: str


class RolePermission(SQLModel, table=True):
    """A permission of a role at an API; `*` as audience is every management API, at the root."""

    __tablename__ = "role_permissions"
    tenant_id: str = Field(primary_key=True)
    role_id: str = Field(primary_key=True)
    audience: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)


class UserRole(SQLModel, table=True):
    """A role that a user has."""

    __tablename__ = "user_roles"
    __table_args__ = (Index("user_roles_role", "tenant_id", "role_id", "user_id"),)
    tenant_id: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    role_id: str = Field(primary_key=True)
