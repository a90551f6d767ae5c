"""All that a refresh reads of whom and what it is for, by one statement. Never cached."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from tenantry.core.facts import SessionFacts, UserFacts
from tenantry.store.joined import Joined, of_same_tenant
from tenantry.store.refresh_tokens import RefreshTokenFacts
from tenantry.store.tables import (
    refresh_tokens,
    session_clients,
    sessions,
    token_families,
    users,
)
from tenantry.store.tokens import TokenFamilyFacts
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class Refreshing:
    """`takes_part` says whether the application will hear of the session's end."""

    token: RefreshTokenFacts
    family: TokenFamilyFacts
    user: UserFacts | None
    session: SessionFacts | None
    takes_part: bool


_PARTS = Joined(
    {
        RefreshTokenFacts: refresh_tokens,
        TokenFamilyFacts: token_families,
        UserFacts: users,
        SessionFacts: sessions,
    }
)
_EVERYTHING = (
    select(session_clients.c.sid, *_PARTS.columns)
    .select_from(refresh_tokens)
    .join(
        token_families,
        of_same_tenant(token_families, refresh_tokens, id=refresh_tokens.c.family_id),
    )
    .outerjoin(users, of_same_tenant(users, refresh_tokens, id=token_families.c.user_id))
    .outerjoin(sessions, of_same_tenant(sessions, refresh_tokens, id=token_families.c.session_id))
    .outerjoin(
        session_clients,
        of_same_tenant(
            session_clients,
            refresh_tokens,
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
    sid, *values = row
    token, family, user, session = _PARTS.read(values)
    return Refreshing(token, family, user, session, takes_part=sid is not None)
