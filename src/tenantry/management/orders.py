"""How lists are ordered. The name of a value says by what, and in which direction."""

from __future__ import annotations

from enum import Enum

import strawberry

OLDEST_FIRST = "By the time of creation, the oldest first."
NEWEST_FIRST = "By the time of creation, the newest first."
A_TO_Z = "By name, from A to Z."
Z_TO_A = "By name, from Z to A."


@strawberry.enum(description="How tenants are ordered.")
class TenantOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)
    NAME_ASC = strawberry.enum_value("name asc", description=A_TO_Z)
    NAME_DESC = strawberry.enum_value("name desc", description=Z_TO_A)


@strawberry.enum(description="How applications are ordered.")
class ApplicationOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)
    NAME_ASC = strawberry.enum_value("name asc", description=A_TO_Z)
    NAME_DESC = strawberry.enum_value("name desc", description=Z_TO_A)


@strawberry.enum(description="How APIs are ordered.")
class ResourceServerOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)
    NAME_ASC = strawberry.enum_value("name asc", description=A_TO_Z)
    NAME_DESC = strawberry.enum_value("name desc", description=Z_TO_A)


@strawberry.enum(description="How connections are ordered.")
class ConnectionOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)
    NAME_ASC = strawberry.enum_value("name asc", description=A_TO_Z)
    NAME_DESC = strawberry.enum_value("name desc", description=Z_TO_A)


@strawberry.enum(description="How credentials are ordered.")
class CredentialOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)


@strawberry.enum(description="How trusted issuers are ordered.")
class TrustedIssuerOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)


@strawberry.enum(description="How trusted documents are ordered.")
class TrustedDocumentOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)


@strawberry.enum(description="How custom domains are ordered.")
class CustomDomainOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)
    DOMAIN_ASC = strawberry.enum_value("domain asc", description=A_TO_Z)
    DOMAIN_DESC = strawberry.enum_value("domain desc", description=Z_TO_A)


@strawberry.enum(description="How client grants are ordered.")
class ClientGrantOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)


@strawberry.enum(description="How user grants are ordered.")
class GrantOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)


@strawberry.enum(description="How roles are ordered.")
class RoleOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)
    NAME_ASC = strawberry.enum_value("name asc", description=A_TO_Z)
    NAME_DESC = strawberry.enum_value("name desc", description=Z_TO_A)


@strawberry.enum(description="How users are ordered.")
class UserOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)


@strawberry.enum(description="How sessions are ordered.")
class SessionOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)


@strawberry.enum(description="How requests to users are ordered.")
class BackchannelRequestOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)


@strawberry.enum(description="How the audit log is ordered.")
class LogEventOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)


@strawberry.enum(description="How log streams are ordered.")
class LogStreamOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)
    NAME_ASC = strawberry.enum_value("name asc", description=A_TO_Z)
    NAME_DESC = strawberry.enum_value("name desc", description=Z_TO_A)


@strawberry.enum(description="How batches that were given up are ordered.")
class LogStreamFailureOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)


@strawberry.enum(description="How organizations are ordered.")
class OrganizationOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)
    NAME_ASC = strawberry.enum_value("name asc", description=A_TO_Z)
    NAME_DESC = strawberry.enum_value("name desc", description=Z_TO_A)


@strawberry.enum(description="How members of an organization are ordered.")
class OrganizationMemberOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)


@strawberry.enum(description="How invitations to an organization are ordered.")
class OrganizationInvitationOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
