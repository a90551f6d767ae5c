"""Many objects of one type by their local ids: one statement, whatever the type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select

from tenantry.core.credentials import CredentialFacts
from tenantry.core.facts import (
    ApplicationFacts,
    ClientGrantFacts,
    ConnectionFacts,
    ConsentFacts,
    LogEventFacts,
    ResourceServerFacts,
    RoleFacts,
    SessionFacts,
    SigningKeyFacts,
    TrustedIssuerFacts,
    UserFacts,
)
from tenantry.core.log_streams import LogStreamFacts
from tenantry.store import tables
from tenantry.store.rows import to_facts
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class _Kind:
    table: Table
    facts: type[Any]
    key: str = "id"


_KINDS: Mapping[str, _Kind] = {
    "Application": _Kind(tables.applications, ApplicationFacts),
    "ClientGrant": _Kind(tables.client_grants, ClientGrantFacts),
    "Credential": _Kind(tables.credentials, CredentialFacts),
    "Connection": _Kind(tables.connections, ConnectionFacts),
    "Grant": _Kind(tables.consents, ConsentFacts),
    "LogEvent": _Kind(tables.log_events, LogEventFacts),
    "LogStream": _Kind(tables.log_streams, LogStreamFacts),
    "ResourceServer": _Kind(tables.resource_servers, ResourceServerFacts),
    "Role": _Kind(tables.roles, RoleFacts),
    "Session": _Kind(tables.sessions, SessionFacts),
    "SigningKey": _Kind(tables.signing_keys, SigningKeyFacts, "kid"),
    "TrustedIssuer": _Kind(tables.trusted_issuers, TrustedIssuerFacts),
    "User": _Kind(tables.users, UserFacts),
}
TYPES = frozenset(_KINDS)
"""The types that can be read together."""


def find_many(db: TenantSession, type: str, ids: Sequence[str]) -> dict[str, Any]:
    """What there is of a type, by its local id. A deleted application is gone."""
    kind = _KINDS[type]
    table, key = kind.table, kind.table.c[kind.key]
    conditions = [table.c.tenant_id == db.tenant_id, key.in_(ids)]
    if "deleted_at" in table.c:
        conditions.append(table.c.deleted_at.is_(None))
    rows = db.connection.execute(select(table).where(*conditions)).mappings()
    return {row[kind.key]: to_facts(kind.facts, row) for row in rows}
