"""All that a refresh reads of whom and what it is for, by one statement. Never cached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Table, and_, bindparam, select

from tenantry.core.facts import SessionFacts, UserFacts
from tenantry.store.refresh_tokens import RefreshTokenFacts
from tenantry.store.rows import to_facts
from tenantry.store.tables import (
    refresh_tokens,
    session_clients,
    sessions,
    token_families,
    users,
)
from tenantry.store.tokens import TokenFamilyFacts
from tenantry.store.unit_of_work import TenantSession

F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Refreshing:
    """`takes_part` says whether the application will hear of the session's end."""

    token: RefreshTokenFacts
    family: TokenFamilyFacts
    user: UserFacts | None
    session: SessionFacts | None
    takes_part: bool


_PARTS: Mapping[type[Any], Table] = {
    RefreshTokenFacts: refresh_tokens,
    TokenFamilyFacts: token_families,
    UserFacts: users,
    SessionFacts: sessions,
}
_NAMES = {cls: tuple(field.name for field in fields(cls)) for cls in _PARTS}


def _own(table: Table, **keys: ColumnElement[Any]) -> ColumnElement[bool]:
    same = (table.c[name] == column for name, column in keys.items())
    return and_(table.c.tenant_id == refresh_tokens.c.tenant_id, *same)


_EVERYTHING = (
    select(
        *(
            table.c[name].label(f"{table.name}_{name}")
            for cls, table in _PARTS.items()
            for name in _NAMES[cls]
        ),
        session_clients.c.sid,
    )
    .join(token_families, _own(token_families, id=refresh_tokens.c.family_id))
    .outerjoin(users, _own(users, id=token_families.c.user_id))
    .outerjoin(sessions, _own(sessions, id=token_families.c.session_id))
    .outerjoin(
        session_clients,
        _own(
            session_clients,
            session_id=sessions.c.id,
            client_id=token_families.c.client_id,
            sid=sessions.c.id,
        ),
    )
    .where(
        refresh_tokens.c.tenant_id == bindparam("tenant"),
        refresh_tokens.c.family_id == bindparam("family"),
    )
)


def find(db: TenantSession, family_id: str) -> Refreshing | None:
    found = db.connection.execute(_EVERYTHING, {"tenant": db.tenant_id, "family": family_id})
    row = found.one_or_none()
    if row is None:
        return None
    values = iter(row)
    token, family = _part(RefreshTokenFacts, values), _part(TokenFamilyFacts, values)
    user, session = _part(UserFacts, values), _part(SessionFacts, values)
    if token is None or family is None:
        return None
    return Refreshing(token, family, user, session, takes_part=next(values) is not None)


def _part(cls: type[F], values: Iterator[Any]) -> F | None:
    """The next columns; None where the join found no row, which has no first key either."""
    own = {name: next(values) for name in _NAMES[cls]}
    return None if own[_NAMES[cls][0]] is None else to_facts(cls, own)
