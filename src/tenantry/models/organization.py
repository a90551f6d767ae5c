from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel

from tenantry.models.base import StoredRow, TenantRow, json_field


class Organization(StoredRow, table=True):
    """A group of users of the tenant that applications sign in to."""

    __tablename__ = "organizations"
    __table_args__ = (Index("organizations_name", "tenant_id", "name", unique=True),)
    name: str
    display_name: str
    logo_uri: str | None
    organization_metadata: dict[str, str] = json_field()


class OrganizationMember(TenantRow, table=True):
    """A user who belongs to an organization."""

    __tablename__ = "organization_members"
    __table_args__ = (
        Index("organization_members_pair", "tenant_id", "organization_id", "user_id", unique=True),
        Index("organization_members_user", "tenant_id", "user_id", "organization_id"),
    )
    organization_id: str
    user_id: str
    created_at: datetime


class OrganizationMemberRole(SQLModel, table=True):
    """A role that a member has within the organization alone."""

    __tablename__ = "organization_member_roles"
    __table_args__ = (Index("organization_member_roles_role", "tenant_id", "role_id"),)
    tenant_id: str = Field(primary_key=True)
    organization_id: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    role_id: str = Field(primary_key=True)


class OrganizationConnection(SQLModel, table=True):
    """A connection whose users may sign in to an organization."""

    __tablename__ = "organization_connections"
    __table_args__ = (Index("organization_connections_connection", "tenant_id", "connection_id"),)
    tenant_id: str = Field(primary_key=True)
    organization_id: str = Field(primary_key=True)
    connection_id: str = Field(primary_key=True)
    assign_membership_on_login: bool


class OrganizationInvitation(TenantRow, table=True):
    """An invitation to become a member; its ticket is kept as a keyed digest."""

    __tablename__ = "organization_invitations"
    __table_args__ = (
        Index("organization_invitations_ticket", "tenant_id", "ticket_digest", unique=True),
        Index("organization_invitations_organization", "tenant_id", "organization_id", "id"),
        Index("organization_invitations_expiry", "expires_at"),
    )
    organization_id: str
    client_id: str
    inviter_name: str
    invitee_email: str
    role_ids: list[str] = json_field()
    ticket_digest: str
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    accepted_by: str | None


class OrganizationGrant(SQLModel, table=True):
    """An organization that a client grant may be used for."""

    __tablename__ = "organization_grants"
    __table_args__ = (Index("organization_grants_organization", "tenant_id", "organization_id"),)
    tenant_id: str = Field(primary_key=True)
    client_grant_id: str = Field(primary_key=True)
    organization_id: str = Field(primary_key=True)
