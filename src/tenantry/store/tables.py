"""The tables as SQLAlchemy Core sees them."""

from __future__ import annotations

from sqlalchemy import Table
from sqlmodel import SQLModel

from tenantry import models

metadata = SQLModel.metadata


def _table(model: type[SQLModel]) -> Table:
    return metadata.tables[str(model.__tablename__)]


access_tokens = _table(models.AccessToken)
active_users = _table(models.ActiveUser)
activity_days = _table(models.ActivityDay)
applications = _table(models.Application)
attempts = _table(models.Attempt)
authorizations = _table(models.Authorization)
backchannel_requests = _table(models.BackchannelRequest)
client_grants = _table(models.ClientGrant)
connection_applications = _table(models.ConnectionApplication)
connections = _table(models.Connection)
consents = _table(models.Consent)
credentials = _table(models.Credential)
custom_domains = _table(models.CustomDomain)
deliveries = _table(models.Delivery)
device_codes = _table(models.DeviceCode)
encryption_keys = _table(models.EncryptionKey)
epochs = _table(models.Epoch)
installation = _table(models.Installation)
job_chunks = _table(models.JobChunk)
jobs = _table(models.Job)
kept_emails = _table(models.KeptEmail)
leases = _table(models.Lease)
log_events = _table(models.LogEvent)
log_stream_failures = _table(models.LogStreamFailure)
log_streams = _table(models.LogStream)
mutation_records = _table(models.MutationRecord)
organization_connections = _table(models.OrganizationConnection)
organization_grants = _table(models.OrganizationGrant)
organization_invitations = _table(models.OrganizationInvitation)
organization_member_roles = _table(models.OrganizationMemberRole)
organization_members = _table(models.OrganizationMember)
organizations = _table(models.Organization)
pairwise_subjects = _table(models.PairwiseSubject)
pushed_requests = _table(models.PushedRequest)
readiness_dismissals = _table(models.ReadinessDismissal)
replay_identifiers = _table(models.ReplayIdentifier)
refresh_tokens = _table(models.RefreshToken)
resource_servers = _table(models.ResourceServer)
role_permissions = _table(models.RolePermission)
roles = _table(models.Role)
session_clients = _table(models.SessionClient)
revoked_tokens = _table(models.RevokedToken)
sessions = _table(models.Session)
signing_keys = _table(models.SigningKey)
tenants = _table(models.Tenant)
token_families = _table(models.TokenFamily)
trusted_documents = _table(models.TrustedDocument)
trusted_issuers = _table(models.TrustedIssuer)
user_permissions = _table(models.UserPermission)
user_roles = _table(models.UserRole)
user_search_terms = _table(models.UserSearchTerm)
users = _table(models.User)
verified_domains = _table(models.VerifiedDomain)
