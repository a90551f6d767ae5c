"""Rows for tests of the store, with every column that a test does not name filled in."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Boolean, Connection, Integer, LargeBinary, Table, func, insert, select
from sqlmodel.sql.sqltypes import UTCDateTime

from tenantry.core.context import SYSTEM, Caller
from tenantry.store import log_positions, tables
from tenantry.store.database import Database
from tenantry.store.unit_of_work import Store, TenantSession

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
_CHOICES: dict[str, Any] = {
    "application_type": "spa",
    "token_endpoint_auth_method": "none",
    "id_token_signed_response_alg": "RS256",
    "authorization_signed_response_alg": "RS256",
    "signing_alg": "RS256",
    "token_dialect": "access_token",
    "user_access_policy": "allow_all",
    "client_access_policy": "require_client_grant",
    "applications.subject_type": "public",
    "subject_type": "client",
    "organization_usage": "deny",
    "organization_require_behavior": "no_prompt",
    "strategy": "database",
    "consent_policy": "standard",
    "backchannel_token_delivery_mode": "poll",
    "channel": "email",
    "environment": "development",
    "device_user_code_charset": "base20",
    "resource_parameter_profile": "one",
    "alg": "RS256",
    "state": "pending",
    "address": None,
    "request": {},
    "details": {},
    "user_metadata": {},
    "app_metadata": {},
    "application_metadata": {},
}


def row(table: Table, mark: str = "text", **given: Any) -> dict[str, Any]:
    """A row of `table`: texts that are not given say `mark`."""
    values: dict[str, Any] = {}
    for column in table.columns:
        if column.name in given:
            values[column.name] = given[column.name]
        elif (choice := f"{table.name}.{column.name}") in _CHOICES:
            values[column.name] = _CHOICES[choice]
        elif column.name in _CHOICES:
            values[column.name] = _CHOICES[column.name]
        elif column.nullable:
            values[column.name] = None
        elif isinstance(column.type, UTCDateTime):
            values[column.name] = LATER if column.name == "expires_at" else NOW
        elif isinstance(column.type, JSON):
            values[column.name] = []
        elif isinstance(column.type, Boolean):
            values[column.name] = False
        elif isinstance(column.type, Integer):
            values[column.name] = 1
        elif isinstance(column.type, LargeBinary):
            values[column.name] = mark.encode()
        else:
            values[column.name] = mark
    assert not given.keys() - values.keys()
    return values


def add(connection: Connection, table: Table, *rows: dict[str, Any]) -> None:
    connection.execute(insert(table), list(rows))


def fill(database: Database, table: Table, *rows: dict[str, Any]) -> None:
    with database.writing() as connection:
        add(connection, table, *rows)


def writing(store: Store, tenant_id: str, function: Callable[[TenantSession], Any]) -> Any:
    """Runs `function` as a unit of work."""
    return store.write_now(tenant_id, Caller(SYSTEM), function)


def number_of(database: Database, *names: str) -> list[int]:
    """How many rows the tables have."""
    with database.reading() as connection:
        return [
            len(connection.execute(tables.metadata.tables[name].select()).all()) for name in names
        ]


def tenant_values(name: str, *, is_root: bool = False) -> dict[str, Any]:
    """What `installation.create_tenant` takes."""
    values = row(tables.tenants, name, name=name, is_root=is_root)
    own = {"id", "revision", "created_at", "updated_at", "deleted_at", "pruned_at"}
    return {key: value for key, value in values.items() if key not in own}


def wait_until_settled(database: Database, seconds: float = 20) -> None:
    """Until all that is in the log may be read on: others write in the same PostgreSQL too."""
    last = select(func.coalesce(func.max(tables.log_events.c.position), 0))
    deadline = time.monotonic() + seconds
    while True:
        with database.reading() as connection:
            position, _ = log_positions.head(connection, is_sqlite=database.is_sqlite)
            if position >= connection.execute(last).scalar_one():
                return
        assert time.monotonic() < deadline, "a transaction has been open for long"
        time.sleep(0.01)
