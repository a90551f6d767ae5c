"""Many users at once, written as their rows are: COPY to PostgreSQL, executemany to SQLite."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
from sqlalchemy import JSON, insert, select
from sqlmodel.sql.sqltypes import UTCDateTime

from tenantry.rules.user_search import terms
from tenantry.store.database import Database
from tenantry.store.tables import connections, user_search_terms, users

FIRST = (
    "Ada Alan Barbara Charles Dennis Edsger Frances Grace Hedy Ivan Joan Ken Leslie Mary Niklaus"
)
LAST = (
    "Adleman Allen Babbage Backus Berners Cerf Dijkstra Engelbart Floyd Gray Hoare Hopper Iverson "
    "Kay Knuth Lamport Lovelace McCarthy Naur Perlis Ritchie Shamir Sutherland Tarjan Wirth Yao"
)
PLANS = ("free",) * 90 + ("pro",) * 9 + ("enterprise",)
BATCH = 10_000


def create_crowd(database: Database, tenant_id: str, number: int) -> None:
    """Users `user0@…` and on; the last digit of a name's number makes it rarer."""
    connection_id = _connection(database, tenant_id)
    for start in range(0, number, BATCH):
        rows = list(_rows(tenant_id, connection_id, range(start, min(start + BATCH, number))))
        found = [
            {"tenant_id": tenant_id, "term": term, "user_id": row["id"]}
            for row in rows
            for term in terms(row)
        ]
        if database.is_sqlite:
            with database.writing() as connection:
                connection.execute(insert(users), rows)
                connection.execute(insert(user_search_terms), found)
        else:
            _copy(database, users, rows)
            _copy(database, user_search_terms, found)
    if not database.is_sqlite:
        _run(database, "VACUUM ANALYZE users")
        _run(database, "VACUUM ANALYZE user_search_terms")


def _connection(database: Database, tenant_id: str) -> str:
    with database.reading() as connection:
        found = select(connections.c.id).where(connections.c.tenant_id == tenant_id)
        return str(connection.execute(found).scalar_one())


def _rows(tenant_id: str, connection_id: str, numbers: range) -> Iterator[dict[str, Any]]:
    first, last = FIRST.split(), LAST.split()
    now = datetime.now(UTC)
    for number in numbers:
        given, family = first[number % len(first)], f"{last[number % len(last)]}{number // 1000}"
        email = f"{given}.{family}.{number}@customer{number % 500}.example".lower()
        values = {
            "tenant_id": tenant_id,
            "id": f"{number:012x}{secrets.token_hex(10)}",
            "connection_id": connection_id,
            "revision": 1,
            "email": email,
            "email_key": email,
            "name": f"{given} {family}",
            "given_name": given,
            "family_name": family,
            "user_metadata": {"locale": "en"},
            "app_metadata": {"plan": PLANS[number * 7919 % 100], "customer": {"id": number // 20}},
        }
        for column in users.columns:
            if column.name not in values:
                values[column.name] = (
                    None
                    if column.nullable
                    else now
                    if isinstance(column.type, UTCDateTime)
                    else {}
                    if isinstance(column.type, JSON)
                    else False
                )
        yield values


def _copy(database: Database, table: Any, rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    with psycopg.connect(_url(database)) as connection, connection.cursor() as cursor:
        columns = ", ".join(names)
        with cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(
                    [
                        psycopg.types.json.Jsonb(value) if isinstance(value, dict) else value
                        for value in row.values()
                    ]
                )


def _run(database: Database, statement: str) -> None:
    with psycopg.connect(_url(database), autocommit=True) as connection:
        connection.execute(statement)


def _url(database: Database) -> str:
    url = database.url.set(drivername="postgresql")
    return url.render_as_string(hide_password=False)
