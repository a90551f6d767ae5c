"""The tables. Every key begins with the tenant; nothing here validates or decides."""

from tenantry.models.application import Application
from tenantry.models.authorization import Authorization
from tenantry.models.client_grant import ClientGrant
from tenantry.models.connection import Connection, ConnectionApplication
from tenantry.models.consent import Consent
from tenantry.models.installation import Epoch, Installation, Lease
from tenantry.models.log_event import LogEvent
from tenantry.models.mutation_record import MutationRecord
from tenantry.models.resource_server import ResourceServer
from tenantry.models.session import Session
from tenantry.models.signing_key import SigningKey
from tenantry.models.tenant import Tenant
from tenantry.models.token import AccessToken, TokenFamily
from tenantry.models.user import User, UserPermission

__all__ = [
    "AccessToken",
    "Application",
    "Authorization",
    "ClientGrant",
    "Connection",
    "ConnectionApplication",
    "Consent",
    "Epoch",
    "Installation",
    "Lease",
    "LogEvent",
    "MutationRecord",
    "ResourceServer",
    "Session",
    "SigningKey",
    "Tenant",
    "TokenFamily",
    "User",
    "UserPermission",
]
