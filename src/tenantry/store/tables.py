"""The tables as SQLAlchemy Core sees them."""

from __future__ import annotations

from sqlalchemy import Table
from sqlmodel import SQLModel

from tenantry import models

metadata = SQLModel.metadata


def _table(model: type[SQLModel]) -> Table:
    return metadata.tables[str(model.__tablename__)]


access_tokens = _table(models.AccessToken)
applications = _table(models.Application)
authorizations = _table(models.Authorization)
client_grants = _table(models.ClientGrant)
connection_applications = _table(models.ConnectionApplication)
connections = _table(models.Connection)
consents = _table(models.Consent)
epochs = _table(models.Epoch)
installation = _table(models.Installation)
leases = _table(models.Lease)
log_events = _table(models.LogEvent)
mutation_records = _table(models.MutationRecord)
resource_servers = _table(models.ResourceServer)
sessions = _table(models.Session)
signing_keys = _table(models.SigningKey)
tenants = _table(models.Tenant)
token_families = _table(models.TokenFamily)
user_permissions = _table(models.UserPermission)
users = _table(models.User)
