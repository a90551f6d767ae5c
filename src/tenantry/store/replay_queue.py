"""Identifiers that may be used once, claimed by group commit: proofs come with each request."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.store.database import Database
from tenantry.store.group_commit import GroupCommit
from tenantry.store.tables import replay_identifiers

Claim = tuple[str, str, datetime]
"""Tenant, digest, and until when it is remembered."""


class ReplayQueue:
    """Claims wait here for the writer thread; a full queue refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._claims: GroupCommit[Claim, bool] = GroupCommit("replays", self._write)

    def claim(self, tenant_id: str, digest: str, expires_at: datetime) -> asyncio.Future[bool]:
        """Whether this is the first use, once that is durable."""
        done = self._claims.put((tenant_id, digest, expires_at))
        self._claims.begin()
        return done

    def _write(self, claims: Sequence[Claim]) -> Sequence[bool]:
        with self._database.writing() as connection:
            return claim_each(connection, claims, is_sqlite=self._database.is_sqlite)

    def close(self) -> None:
        """Writes what waits, then ends."""
        self._claims.close()


def claim_each(
    connection: Connection, claims: Sequence[Claim], *, is_sqlite: bool
) -> Sequence[bool]:
    """Whether each is the first use; of several for one identifier at most one is."""
    insert = sqlite.insert if is_sqlite else postgresql.insert
    # In order, so that two processes with the same identifiers never wait for each other.
    wanted = {(tenant_id, digest): until for tenant_id, digest, until in sorted(claims)}
    made = connection.execute(
        insert(replay_identifiers)
        .on_conflict_do_nothing()
        .returning(replay_identifiers.c.tenant_id, replay_identifiers.c.digest),
        [
            {"tenant_id": tenant_id, "digest": digest, "expires_at": until}
            for (tenant_id, digest), until in wanted.items()
        ],
    )
    first = {(tenant_id, digest) for tenant_id, digest in made}
    found = []
    for tenant_id, digest, _ in claims:
        found.append((tenant_id, digest) in first)
        first.discard((tenant_id, digest))
    return found
