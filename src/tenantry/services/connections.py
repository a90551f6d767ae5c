"""Connections: sources of users."""

from __future__ import annotations

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import ConnectionFacts, ConnectionStrategy
from tenantry.rules.fields import checked, with_defaults
from tenantry.rules.nouns import CONNECTION_FIELDS
from tenantry.services.changes import record_change
from tenantry.services.commands import Patch, Values
from tenantry.store import connections
from tenantry.store.unit_of_work import TenantSession


def create(db: TenantSession, command: Values) -> ConnectionFacts:
    """A database connection: users with passwords, kept here."""
    values = with_defaults(CONNECTION_FIELDS, command)
    values["strategy"] = ConnectionStrategy.DATABASE
    row_id = connections.create(db, values)
    record_change(db, "connection.created", ("Connection", row_id), after=values)
    return _require(db, row_id)


def update(db: TenantSession, patch: Patch) -> ConnectionFacts:
    current = _require(db, patch.id)
    if "name" in patch.values:
        raise DomainError(ErrorCode.IMMUTABLE, "This never changes.", "name")
    values = checked(CONNECTION_FIELDS, patch.values)
    connections.change(db, current, values, patch.expected_revision)
    record_change(
        db, "connection.updated", ("Connection", current.id), before=current, after=values
    )
    return _require(db, current.id)


def delete(db: TenantSession, patch: Patch) -> str:
    """Only an empty connection can be deleted. Returns the id."""
    current = _require(db, patch.id)
    if connections.has_users(db, current.id):
        raise DomainError(ErrorCode.IN_USE, "The connection still has users.", "id")
    connections.delete(db, current, patch.expected_revision)
    record_change(db, "connection.deleted", ("Connection", current.id))
    return current.id


def _require(db: TenantSession, id: str) -> ConnectionFacts:
    connection = connections.find(db, id)
    if connection is None:
        raise not_found("connection")
    return connection
