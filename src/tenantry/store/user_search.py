"""The terms that users are found by: one row for each, on both databases alike."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    delete,
    exists,
    func,
    intersect,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.facts import UserFacts
from tenantry.rules.user_search import SOURCES, metadata_term, terms, word_term
from tenantry.store import pages
from tenantry.store.pages import PageRequest
from tenantry.store.tables import user_search_terms, users
from tenantry.store.unit_of_work import TenantSession

_FEW = 20_000
"""Matches of a term that are sorted rather than looked for among the users in their order."""
_SOME = 2_000
"""Matches of which each is looked up among the other terms, on PostgreSQL."""
_AHEAD = 5_000
"""Of those who have one frequent term, in the order of the page, who are asked for the others."""
_SPELLINGS = 16
"""Terms that a word may begin, for those who have them to be read in order, on PostgreSQL."""
_Range = Callable[[ColumnElement[str]], ColumnElement[bool]]
"""The terms that one word or one value stands for, as a condition on their column."""
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class MetadataValue:
    """A value at a path of the column `source`."""

    source: str
    path: tuple[str, ...]
    value: str | float | bool


def index(db: TenantSession, user_id: str, values: Mapping[str, Any]) -> None:
    """Writes the terms of a new user."""
    index_all(db, {user_id: values})


def index_all(db: TenantSession, new_users: Mapping[str, Mapping[str, Any]]) -> None:
    """The same for many: what is stored of each, by the id."""
    _add(db, [(user_id, term) for user_id, values in new_users.items() for term in terms(values)])


def reindex(db: TenantSession, current: UserFacts, values: Mapping[str, Any]) -> None:
    """Writes what a change of `current` makes of its terms."""
    if not values.keys() & set(SOURCES):
        return
    stored = asdict(current)
    before, after = terms(stored), terms({**stored, **values})
    if gone := before - after:
        _remove(db, current.id, user_search_terms.c.term.in_(gone))
    _add(db, [(current.id, term) for term in after - before])


def remove(db: TenantSession, user_id: str) -> None:
    _remove(db, user_id)


def _add(db: TenantSession, added: Collection[tuple[str, str]]) -> None:
    if not added:
        return
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    db.connection.execute(
        insert(user_search_terms).on_conflict_do_nothing(),
        [
            {"tenant_id": db.tenant_id, "term": term, "user_id": user_id}
            for user_id, term in sorted(added)
        ],
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
    db: TenantSession,
    words: Sequence[str],
    metadata: Sequence[MetadataValue],
    request: PageRequest | None = None,
) -> list[ColumnElement[bool]]:
    """Conditions on `users`: every word begins one of the user's, every value is the user's.

    `request` is the page that is wanted, unless there are further conditions on it. One frequent
    term is asked of every user in the order of the page, of whom many have it. Otherwise those
    who have the rarest term are listed, and asked for the others: without the rows of users,
    which are wide.
    """
    ranges: list[_Range] = [
        *(partial(beginning, prefix=word_term(word)) for word in words),
        *(partial(operator.eq, metadata_term(one.source, one.path, one.value)) for one in metadata),
    ]
    if not ranges:
        return []
    enough = _FEW if db.is_sqlite or len(ranges) == 1 else _SOME
    numbers = [_number(db, within, enough) for within in ranges]
    rarest = min(range(len(ranges)), key=numbers.__getitem__)
    if request is not None and len(ranges) == 1 and numbers[rarest] >= _FEW:
        return [_asked(db, users.c.id, ranges[rarest])]
    others = ranges[:rarest] + ranges[rarest + 1 :]
    many = numbers[rarest] >= _SOME and not db.is_sqlite
    if many and others and request is not None:
        first = _first(db, ranges, request)
        if first is not None:
            return [users.c.id.in_(first)]
    return [_listed(db, ranges[rarest], others, request, many=many)]


def beginning(column: ColumnElement[Any], prefix: str) -> ColumnElement[bool]:
    """Whether the column begins with `prefix`: one range of its index."""
    return and_(column >= prefix, column < prefix + _LAST)


def _number(db: TenantSession, within: _Range, enough: int) -> int:
    """How many rows there are, counted no further than it matters."""
    some = (
        select(literal(1))
        .select_from(user_search_terms)
        .where(user_search_terms.c.tenant_id == db.tenant_id, within(user_search_terms.c.term))
        .limit(enough)
        .subquery()
    )
    return db.connection.execute(select(func.count()).select_from(some)).scalar_one()


def _asked(db: TenantSession, user_id: ColumnElement[str], within: _Range) -> ColumnElement[bool]:
    """Whether a user has a term too, looked up user by user.

    With EXISTS, PostgreSQL may list all matches instead, and sort them.
    """
    again = user_search_terms.alias()
    one = (
        select(literal(1))
        .where(
            again.c.tenant_id == db.tenant_id,
            again.c.user_id == user_id,
            within(again.c.term),
        )
        .limit(1)
    )
    return one.correlate(user_id.table).scalar_subquery().is_not(None)


def _first(
    db: TenantSession, ranges: Sequence[_Range], request: PageRequest
) -> Sequence[str] | None:
    """A page of users with several frequent terms: mostly it is full after the first few.

    None where it is not, or where every word has too many spellings to read it in order.
    """
    for within in ranges:
        spelled = _spellings(db, within)
        if len(spelled) <= _SPELLINGS:
            break
    else:
        return None
    # Each term has its users in their order: PostgreSQL merges them, and stops.
    each = [_users_with(db, partial(operator.eq, term)) for term in spelled]
    merged = union_all(*each).subquery()
    ahead = pages.only_page(
        select(merged.c.user_id), merged.c.user_id, replace(request, size=_AHEAD)
    ).subquery()
    found = select(ahead.c.user_id).distinct()
    for other in ranges:
        if other is not within:
            found = found.where(_asked(db, ahead.c.user_id, other))
    found = pages.only_page(found, ahead.c.user_id, request)
    ids = db.connection.execute(found).scalars().all()
    return ids if len(ids) > request.size else None


def _spellings(db: TenantSession, within: _Range) -> Sequence[str]:
    """The terms that there are, one more than `_SPELLINGS` at most: from each to the next one."""
    table = user_search_terms
    own = table.c.tenant_id == db.tenant_id
    first = select(func.min(table.c.term).label("term")).where(own, within(table.c.term))
    walk = first.cte("spelled", recursive=True)
    following = select(func.min(table.c.term)).where(
        own, within(table.c.term), table.c.term > walk.c.term
    )
    step = select(following.correlate(walk).scalar_subquery()).where(walk.c.term.is_not(None))
    walk = walk.union_all(step)
    found = select(walk.c.term).where(walk.c.term.is_not(None)).limit(_SPELLINGS + 1)
    return db.connection.execute(found).scalars().all()


def _listed(
    db: TenantSession,
    within: _Range,
    others: Sequence[_Range],
    request: PageRequest | None,
    *,
    many: bool,
) -> ColumnElement[bool]:
    user_id: ColumnElement[str] = user_search_terms.c.user_id
    found = _users_with(db, within)
    if others and many:
        # Each list is read once: to look up one by one would jump about the whole index.
        common = intersect(found, *(_users_with(db, other) for other in others)).subquery()
        user_id = common.c.user_id
        found = select(user_id)
    else:
        for other in others:
            found = found.where(_has(db, user_id, other))
    if request is not None:
        # SQLite knows nothing of how many there are: by the bare column it would go through the
        # terms of all users in their order.
        place = user_id.concat("") if db.is_sqlite else user_id
        found = pages.only_page(found.distinct(), place, request)
    return users.c.id.in_(found)


def _users_with(db: TenantSession, within: _Range) -> Select[Any]:
    return select(user_search_terms.c.user_id).where(
        user_search_terms.c.tenant_id == db.tenant_id, within(user_search_terms.c.term)
    )


def _has(db: TenantSession, user_id: ColumnElement[str], within: _Range) -> ColumnElement[bool]:
    """Whether a user of the list has another term too."""
    again = user_search_terms.alias()
    return exists().where(
        again.c.tenant_id == db.tenant_id,
        again.c.user_id == user_id,
        within(again.c.term),
    )
