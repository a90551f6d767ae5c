from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, Index, SQLModel

from tenantry.models.base import Json, OrderedText, StoredRow, json_field, only_where


class User(StoredRow, table=True):
    """A person in a connection. `id` is the `sub` of tokens."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_email", "tenant_id", "connection_id", "email_key", unique=True),
        Index("users_username", "tenant_id", "connection_id", "username_key", unique=True),
        Index("users_email_search", "tenant_id", "email_key", "id"),
        Index("users_blocked", "tenant_id", "id", **only_where("blocked IS TRUE", "blocked IS 1")),
    )
    connection_id: str
    email: str | None
    email_key: str | None = Field(sa_type=OrderedText)
    email_verified: bool
    username: str | None
    username_key: str | None
    password_hash: str | None
    password_changed_at: datetime | None
    user_code_digest: str | None = None
    blocked: bool
    last_login_at: datetime | None
    name: str | None
    given_name: str | None
    family_name: str | None
    middle_name: str | None
    nickname: str | None
    preferred_username: str | None
    profile: str | None
    picture: str | None
    website: str | None
    gender: str | None
    birthdate: str | None
    zoneinfo: str | None
    locale: str | None
    phone_number: str | None
    phone_number_verified: bool
    address: dict[str, Any] | None = Field(default=None, sa_type=Json)
    user_metadata: dict[str, Any] = json_field()
    app_metadata: dict[str, Any] = json_field()


class UserPermission(SQLModel, table=True):
    """A permission of a user at an API; `*` as audience is every management API, at the root."""

    __tablename__ = "user_permissions"
    tenant_id: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    audience: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)


class UserSearchTerm(SQLModel, table=True):
    """A word or a value of metadata that a user is found by."""

    __tablename__ = "user_search_terms"
    __table_args__ = (
        Index("user_search_terms_user", "tenant_id", "user_id", "term"),
        {"sqlite_with_rowid": False},
    )
    tenant_id: str = Field(primary_key=True)
    term: str = Field(primary_key=True, sa_type=OrderedText)
    user_id: str = Field(primary_key=True)
