"""The databases to measure on: a new SQLite file, and a new PostgreSQL database if there is one."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

DEFAULT_URL = "postgresql+psycopg://tenantry:tenantry@127.0.0.1:5432/tenantry_test"


def postgresql_url() -> str | None:
    """Where PostgreSQL answers, if it does."""
    url = (
        os.environ.get("TENANTRY_BENCH_POSTGRESQL_URL")
        or os.environ.get("TENANTRY_TEST_POSTGRESQL_URL")
        or DEFAULT_URL
    ).replace("+psycopg", "")
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError:
        return None
    return url


@contextmanager
def new_database(url: str) -> Iterator[str]:
    """The URL of an empty database beside the one named, dropped at the end."""
    name = f"tenantry_bench_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )
