"""Consents (user grants): one for each user, application and API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ConsentFacts
from tenantry.core.ids import new_id
from tenantry.store import pages, records
from tenantry.store.pages import Page, PageRequest
from tenantry.store.tables import consents
from tenantry.store.unit_of_work import TenantSession


def find(db: TenantSession, user_id: str, client_id: str, audience: str) -> ConsentFacts | None:
    return records.find(
        db, consents, ConsentFacts, user_id=user_id, client_id=client_id, audience=audience
    )


def find_by_id(db: TenantSession, id: str) -> ConsentFacts | None:
    return records.find(db, consents, ConsentFacts, id=id)


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


def delete(db: TenantSession, current: ConsentFacts, expected_revision: int | None) -> None:
    records.remove(db, consents, current, expected_revision)


@dataclass(frozen=True, slots=True)
class ConsentFilter:
    """All that is given must hold."""

    user_id: str | None = None
    client_id: str | None = None
    audience: str | None = None


def page(db: TenantSession, criteria: ConsentFilter, request: PageRequest) -> Page[ConsentFacts]:
    return pages.fetch_page(db, consents, _conditions(db, criteria), request, ConsentFacts)


def count(db: TenantSession, criteria: ConsentFilter) -> int:
    return pages.count(db, consents, _conditions(db, criteria))


def _conditions(db: TenantSession, criteria: ConsentFilter) -> list[Any]:
    conditions: list[Any] = [consents.c.tenant_id == db.tenant_id]
    if criteria.user_id:
        conditions.append(consents.c.user_id == criteria.user_id)
    if criteria.client_id:
        conditions.append(consents.c.client_id == criteria.client_id)
    if criteria.audience:
        conditions.append(consents.c.audience == criteria.audience)
    return conditions


def first_of_each_user(
    db: TenantSession, user_ids: Sequence[str], request: PageRequest
) -> dict[str, Page[ConsentFacts]]:
    """A page below every user, by one statement."""
    conditions = [consents.c.tenant_id == db.tenant_id, consents.c.user_id.in_(user_ids)]
    return pages.first_of_each(db, consents, conditions, "user_id", request, ConsentFacts)


def count_of_each_user(db: TenantSession, user_ids: Sequence[str]) -> dict[str, int]:
    conditions = [consents.c.tenant_id == db.tenant_id, consents.c.user_id.in_(user_ids)]
    return pages.count_of_each(db, consents, conditions, "user_id")
