"""The access control list as the schema shows it."""

from __future__ import annotations

from collections.abc import Mapping

import strawberry

from tenantry.core import access_control as core
from tenantry.core.access_control import AccessAction, EndpointGroup
from tenantry.management.types.common import described, publish, setting
from tenantry.management.types.enums import describe_enum

describe_enum(
    AccessAction,
    "What a rule of the access control list does with the requests that it is about.",
    {
        AccessAction.ALLOW: "They are served, whatever later rules say.",
        AccessAction.BLOCK: "They are refused with 403.",
    },
)
describe_enum(
    EndpointGroup,
    "Endpoints that rules of the access control list are about.",
    {
        EndpointGroup.AUTHENTICATION: (
            "Where people sign in and out: `/authorize`, the pages under `/u/`, the endpoints of "
            "logout and of session management."
        ),
        EndpointGroup.TOKENS: (
            "What applications and APIs call: everything under `/oauth/`, `/bc-authorize` and "
            "`/userinfo`."
        ),
        EndpointGroup.DCR: "Dynamic registration: `/oidc/register` and what is under it.",
        EndpointGroup.MANAGEMENT: (
            "The management API: `/graphql` with its explorer, and the data of jobs."
        ),
    },
)

ABOUT: Mapping[str, str] = {
    "action": "What becomes of the requests that the rule is about.",
    "endpoint_groups": "The endpoints that the rule is about: at least one group.",
    "cidrs": (
        "The client addresses that it is about: at most 100 networks, of IPv4 or IPv6, such as "
        "`192.0.2.0/24` and `2001:db8::/32`, or single addresses. Default none: every address."
    ),
    "description": "What the rule is for. At most 100 characters. Default empty.",
}
LIST_ABOUT = (
    "Which client addresses may ask which endpoints, replaced as a whole: at most 50 rules in "
    "order, of which the first that is about the endpoint and the address decides. Where none is, "
    "the request is served. Whoever is refused gets 403, and the log has `access.refused`, for "
    "one address and group at most once a minute in each process. Keys, metadata and pictures "
    "are for everybody. A list that would keep its own author from the management API is refused. "
    "Default none."
)


@strawberry.type(description="A rule of the access control list.")
class AccessRule:
    action: AccessAction = described(ABOUT, "action")
    endpoint_groups: list[EndpointGroup] = described(ABOUT, "endpoint_groups")
    cidrs: list[str] = described(ABOUT, "cidrs")
    description: str = described(ABOUT, "description")

    @classmethod
    def of(cls, facts: core.AccessRule) -> AccessRule:
        return publish(cls, facts)


@strawberry.input(description="A rule of the access control list.")
class AccessRuleInput:
    action: AccessAction = described(ABOUT, "action")
    endpoint_groups: list[EndpointGroup] = described(ABOUT, "endpoint_groups")
    cidrs: list[str] | None = setting(ABOUT, "cidrs")
    description: str | None = setting(ABOUT, "description")

    def facts(self) -> core.AccessRule:
        return core.AccessRule(
            action=self.action,
            endpoint_groups=tuple(self.endpoint_groups),
            cidrs=tuple(self.cidrs or ()),
            description=self.description or "",
        )
