"""Organizations: what they may be, and who gets tokens for one. Pure decisions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.organizations import OrganizationFacts, OrganizationUsage
from tenantry.rules.fields import Field, clean_text, email, integer, list_of, text, web_url
from tenantry.rules.metadata import application_metadata

ID_PREFIX = "org_"
MAX_NAME = 50
MAX_ROLES = 50
DAY = 86_400
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")


def organization_name(value: Any, path: tuple[str, ...]) -> str:
    """What requests may say instead of the id, and must not take for one."""
    name = clean_text(value, path, MAX_NAME, 1)
    if not _NAME.fullmatch(name) or name.startswith(ID_PREFIX):
        raise DomainError(
            ErrorCode.INVALID,
            "A name has 1 to 50 lower-case letters, digits, hyphens and underscores, begins with "
            f"a letter or a digit, and not with {ID_PREFIX}.",
            *path,
        )
    return name


ORGANIZATION_FIELDS: Mapping[str, Field] = {
    "name": Field(organization_name),
    "display_name": Field(text(255, forbidden="<>"), ""),
    "logo_uri": Field(web_url, None),
    "organization_metadata": Field(application_metadata, {}),
}

INVITATION_FIELDS: Mapping[str, Field] = {
    "organization_id": Field(text(64, 1)),
    "client_id": Field(text(128, 1)),
    "inviter_name": Field(text(300, 1, forbidden="<>")),
    "invitee_email": Field(email),
    "role_ids": Field(list_of(text(64), MAX_ROLES), ()),
    "lifetime": Field(integer(60, 30 * DAY), 7 * DAY),
}


@dataclass(frozen=True, slots=True)
class OrganizationAccess:
    """The organization of a user's tokens, and how the user stands to it.

    `may_enter` is whether the user is a member or becomes one by this sign-in,
    `has_connection` whether the user's connection is enabled for it. Both are None while the
    user is not known: then what depends on them is not decided.
    """

    organization: OrganizationFacts
    may_enter: bool | None = None
    has_connection: bool | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule about organizations: its result, and what the developer hears if it failed."""

    rule: str
    passed: bool
    setting: str
    error: str
    description: str
    status: int = 400


def usage_verdict(usage: OrganizationUsage, setting: str, *, asked: bool) -> Verdict:
    """Whether tokens may be, or must be, for an organization."""
    passed = usage is not (OrganizationUsage.DENY if asked else OrganizationUsage.REQUIRE)
    description = (
        "The parameter organization is not allowed here."
        if asked
        else "The parameter organization is required here."
    )
    return Verdict("organization_usage", passed, setting, "invalid_request", description)


def user_verdicts(
    usage: OrganizationUsage, access: OrganizationAccess | None
) -> tuple[Verdict, ...]:
    """What is asked of a user's tokens, in order; the first that did not pass decides."""
    first = usage_verdict(usage, "Application.organizationUsage", asked=access is not None)
    if access is None:
        # Where nobody speaks of organizations none of their rules takes part.
        return () if usage is not OrganizationUsage.REQUIRE else (first,)
    return (
        first,
        Verdict(
            "organization_connection",
            access.has_connection is not False,
            "Organization.connections",
            "access_denied",
            "The organization does not let users of this connection in.",
            403,
        ),
        Verdict(
            "organization_member",
            access.may_enter is not False,
            "Organization.members",
            "access_denied",
            "The user is not a member of the organization.",
            403,
        ),
    )


@dataclass(frozen=True, slots=True)
class OrganizationRequest:
    """What an application that speaks for itself asks for.

    `organization` is None where none has the name that was `asked`. `is_granted`: whether the
    client grant covers it, alone or with every other.
    """

    asked: bool
    organization: OrganizationFacts | None
    usage: OrganizationUsage
    is_granted: bool


def machine_verdicts(request: OrganizationRequest) -> tuple[Verdict, ...]:
    first = usage_verdict(request.usage, "ClientGrant.organizationUsage", asked=request.asked)
    if not request.asked:
        return () if request.usage is not OrganizationUsage.REQUIRE else (first,)
    return (
        first,
        Verdict(
            "organization_known",
            request.organization is not None,
            "Organization",
            "invalid_request",
            "The parameter organization names no organization.",
        ),
        Verdict(
            "organization_granted",
            request.is_granted,
            "ClientGrant.organizations",
            "access_denied",
            "The client grant does not cover this organization.",
            403,
        ),
    )


def strictest(usages: tuple[OrganizationUsage, ...]) -> OrganizationUsage:
    """What holds for several grants at once."""
    for usage in (OrganizationUsage.DENY, OrganizationUsage.REQUIRE):
        if usage in usages:
            return usage
    return OrganizationUsage.ALLOW
