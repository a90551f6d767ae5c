"""Consents (user grants): one for each user, application and API."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete as sql_delete
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ConsentFacts
from tenantry.core.ids import new_id
from tenantry.store import records
from tenantry.store.tables import consents
from tenantry.store.unit_of_work import TenantSession


def find(db: TenantSession, user_id: str, client_id: str, audience: str) -> ConsentFacts | None:
    return records.find(
        db, consents, ConsentFacts, user_id=user_id, client_id=client_id, audience=audience
    )


def add_scopes(
    db: TenantSession, user_id: str, client_id: str, audience: str, scopes: Sequence[str]
) -> None:
    """Remembers what the user allowed, beside what was allowed before or is at this moment."""
    key = {"user_id": user_id, "client_id": client_id, "audience": audience}
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    inserted = db.connection.execute(
        insert(consents)
        .values(
            **key,
            tenant_id=db.tenant_id,
            id=new_id(),
            scopes=list(dict.fromkeys(scopes)),
            revision=1,
            created_at=db.now,
            updated_at=db.now,
        )
        .on_conflict_do_nothing()
    ).rowcount
    if inserted:
        return
    current = records.find(db, consents, ConsentFacts, for_update=True, **key)
    if current is None:
        raise DomainError(ErrorCode.CONFLICT, "The consent was withdrawn a moment ago.")
    merged = tuple(dict.fromkeys((*current.scopes, *scopes)))
    if merged != current.scopes:
        records.change(db, consents, current, {"scopes": merged})


def delete_for_user(db: TenantSession, user_id: str) -> None:
    db.connection.execute(
        sql_delete(consents).where(
            consents.c.tenant_id == db.tenant_id, consents.c.user_id == user_id
        )
    )


def delete_for_client(db: TenantSession, user_id: str, client_id: str) -> int:
    """Forgets what a user allowed one application, at every API."""
    return db.connection.execute(
        sql_delete(consents).where(
            consents.c.tenant_id == db.tenant_id,
            consents.c.user_id == user_id,
            consents.c.client_id == client_id,
        )
    ).rowcount
