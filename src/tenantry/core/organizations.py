"""Organizations: groups of users of one tenant, and how applications take part in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tenantry.core.stored import Stored


class OrganizationUsage(StrEnum):
    """Whether tokens may be, must be or cannot be for an organization."""

    DENY = "deny"
    ALLOW = "allow"
    REQUIRE = "require"


class OrganizationRequireBehavior(StrEnum):
    """What becomes of a sign-in that names no organization where one is required."""

    NO_PROMPT = "no_prompt"
    PRE_LOGIN_PROMPT = "pre_login_prompt"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationFacts(Stored):
    """`id` is the `org_id` of tokens, `name` their `org_name`."""

    name: str
    display_name: str
    logo_uri: str | None
    organization_metadata: dict[str, str]

    @property
    def shown_name(self) -> str:
        return self.display_name or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationMemberFacts:
    """A user who belongs to an organization."""

    id: str
    organization_id: str
    user_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationConnectionFacts:
    """A connection whose users may sign in to an organization."""

    organization_id: str
    connection_id: str
    assign_membership_on_login: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationInvitationFacts:
    """`role_ids` are what the member will have within the organization."""

    id: str
    organization_id: str
    client_id: str
    inviter_name: str
    invitee_email: str
    role_ids: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    accepted_by: str | None
