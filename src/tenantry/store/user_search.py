"""The terms that users are found by: one row for each, on both databases alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.facts import UserFacts
from tenantry.rules.user_search import SOURCES, metadata_term, terms, word_term
from tenantry.store.tables import user_search_terms, users
from tenantry.store.unit_of_work import TenantSession

_FEW = 4_000
"""Matches of a term that are sorted rather than looked for among the users in their order."""
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class MetadataValue:
    """A value at a path of the column `source`."""

    source: str
    path: tuple[str, ...]
    value: str | float | bool


def index(db: TenantSession, user_id: str, values: Mapping[str, Any]) -> None:
    """Writes the terms of a new user."""
    _add(db, user_id, terms(values))


def reindex(db: TenantSession, current: UserFacts, values: Mapping[str, Any]) -> None:
    """Writes what a change of `current` makes of its terms."""
    if not values.keys() & set(SOURCES):
        return
    stored = asdict(current)
    before, after = terms(stored), terms({**stored, **values})
    if gone := before - after:
        _remove(db, current.id, user_search_terms.c.term.in_(gone))
    _add(db, current.id, after - before)


def remove(db: TenantSession, user_id: str) -> None:
    _remove(db, user_id)


def _add(db: TenantSession, user_id: str, added: Collection[str]) -> None:
    if not added:
        return
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    db.connection.execute(
        insert(user_search_terms).on_conflict_do_nothing(),
        [{"tenant_id": db.tenant_id, "term": term, "user_id": user_id} for term in sorted(added)],
    )


def _remove(db: TenantSession, user_id: str, *conditions: ColumnElement[bool]) -> None:
    db.connection.execute(
        delete(user_search_terms).where(
            user_search_terms.c.tenant_id == db.tenant_id,
            user_search_terms.c.user_id == user_id,
            *conditions,
        )
    )


def matching(
    db: TenantSession, words: Sequence[str], metadata: Sequence[MetadataValue]
) -> list[ColumnElement[bool]]:
    """Conditions on `users`: every word begins one of the user's, every value is the user's.

    The rarest term is listed and looked up where it is rare; else every user in the order of the
    page is asked, which finds a page soon because there are many.
    """
    ranges = [
        *(beginning(user_search_terms.c.term, word_term(word)) for word in words),
        *(
            user_search_terms.c.term == metadata_term(one.source, one.path, one.value)
            for one in metadata
        ),
    ]
    if not ranges:
        return []
    numbers = [_number(db, within) for within in ranges]
    least = min(range(len(ranges)), key=numbers.__getitem__)
    conditions = [
        _asked(db, within)
        for number, within in enumerate(ranges)
        if number != least or numbers[least] >= _FEW
    ]
    if numbers[least] < _FEW:
        conditions.insert(0, _listed(db, ranges[least], numbers[least]))
    return conditions


def beginning(column: ColumnElement[Any], prefix: str) -> ColumnElement[bool]:
    """Whether the column begins with `prefix`: one range of its index."""
    return and_(column >= prefix, column < prefix + _LAST)


def _number(db: TenantSession, within: ColumnElement[bool]) -> int:
    """How many rows there are, counted no further than it matters."""
    some = (
        select(literal(1))
        .select_from(user_search_terms)
        .where(user_search_terms.c.tenant_id == db.tenant_id, within)
        .limit(_FEW)
        .subquery()
    )
    return db.connection.execute(select(func.count()).select_from(some)).scalar_one()


def _listed(db: TenantSession, within: ColumnElement[bool], most: int) -> ColumnElement[bool]:
    # The limit says nothing new: it keeps PostgreSQL from going through all users instead.
    found = (
        select(user_search_terms.c.user_id)
        .where(user_search_terms.c.tenant_id == db.tenant_id, within)
        .limit(most)
    )
    return users.c.id.in_(found)


def _asked(db: TenantSession, within: ColumnElement[bool]) -> ColumnElement[bool]:
    # With EXISTS, PostgreSQL would list all matches and sort them.
    one = (
        select(literal(1))
        .select_from(user_search_terms)
        .where(
            user_search_terms.c.tenant_id == db.tenant_id,
            user_search_terms.c.user_id == users.c.id,
            within,
        )
        .limit(1)
    )
    return one.correlate(users).scalar_subquery().is_not(None)
