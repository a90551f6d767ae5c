"""Consents (user grants): one for each user, application and API."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete as sql_delete

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ConsentFacts
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
    """Remembers what the user allowed, beside what was allowed before."""
    current = find(db, user_id, client_id, audience)
    if current is not None:
        merged = tuple(dict.fromkeys((*current.scopes, *scopes)))
        if merged != current.scopes:
            records.change(db, consents, current, {"scopes": merged})
        return
    records.create(
        db,
        consents,
        {
            "user_id": user_id,
            "client_id": client_id,
            "audience": audience,
            "scopes": tuple(scopes),
        },
        DomainError(ErrorCode.CONFLICT, "The consent was stored a moment ago."),
    )


def delete_for_user(db: TenantSession, user_id: str) -> None:
    db.connection.execute(
        sql_delete(consents).where(
            consents.c.tenant_id == db.tenant_id, consents.c.user_id == user_id
        )
    )
