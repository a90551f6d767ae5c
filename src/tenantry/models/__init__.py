"""The tables. Every key begins with the tenant; nothing here validates or decides."""

from tenantry.models.activity import ActiveUser, ActivityDay
from tenantry.models.application import Application
from tenantry.models.authorization import Authorization
from tenantry.models.backchannel_request import BackchannelRequest
from tenantry.models.client_grant import ClientGrant
from tenantry.models.connection import Connection, ConnectionApplication
from tenantry.models.consent import Consent
from tenantry.models.credential import Credential
from tenantry.models.custom_domain import CustomDomain, VerifiedDomain
from tenantry.models.device_code import Attempt, DeviceCode
from tenantry.models.email import KeptEmail
from tenantry.models.encryption_key import EncryptionKey
from tenantry.models.installation import Epoch, Installation, Lease
from tenantry.models.job import Job, JobChunk
from tenantry.models.log_event import LogEvent
from tenantry.models.log_stream import LogStream, LogStreamFailure
from tenantry.models.mutation_record import MutationRecord
from tenantry.models.organization import (
    Organization,
    OrganizationConnection,
    OrganizationGrant,
    OrganizationInvitation,
    OrganizationMember,
    OrganizationMemberRole,
)
from tenantry.models.outbox import Delivery
from tenantry.models.pairwise_subject import PairwiseSubject
from tenantry.models.pushed_request import PushedRequest
from tenantry.models.readiness_dismissal import ReadinessDismissal
from tenantry.models.replay_identifier import ReplayIdentifier
from tenantry.models.resource_server import ResourceServer
from tenantry.models.role import Role, RolePermission, UserRole
from tenantry.models.session import Session, SessionClient
from tenantry.models.signing_key import SigningKey
from tenantry.models.tenant import Tenant
from tenantry.models.token import AccessToken, RefreshToken, RevokedToken, TokenFamily
from tenantry.models.trusted_document import TrustedDocument
from tenantry.models.trusted_issuer import TrustedIssuer
from tenantry.models.user import User, UserPermission, UserSearchTerm

__all__ = [
    "AccessToken",
    "ActiveUser",
    "ActivityDay",
    "Application",
    "Attempt",
    "Authorization",
    "BackchannelRequest",
    "ClientGrant",
    "Connection",
    "ConnectionApplication",
    "Consent",
    "Credential",
    "CustomDomain",
    "Delivery",
    "DeviceCode",
    "EncryptionKey",
    "Epoch",
    "Installation",
    "Job",
    "JobChunk",
    "KeptEmail",
    "Lease",
    "LogEvent",
    "LogStream",
    "LogStreamFailure",
    "MutationRecord",
    "Organization",
    "OrganizationConnection",
    "OrganizationGrant",
    "OrganizationInvitation",
    "OrganizationMember",
    "OrganizationMemberRole",
    "PairwiseSubject",
    "PushedRequest",
    "ReadinessDismissal",
    "RefreshToken",
    "ReplayIdentifier",
    "ResourceServer",
    "RevokedToken",
    "Role",
    "RolePermission",
    "Session",
    "SessionClient",
    "SigningKey",
    "Tenant",
    "TokenFamily",
    "TrustedDocument",
    "TrustedIssuer",
    "User",
    "UserPermission",
    "UserRole",
    "UserSearchTerm",
    "VerifiedDomain",
]
