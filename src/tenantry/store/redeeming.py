"""All that the redemption of a code reads of what it is for, by one statement. Never cached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from tenantry.core.facts import SessionFacts, UserFacts
from tenantry.store.authorizations import AuthorizationFacts
from tenantry.store.joined import Joined, of_same_tenant
from tenantry.store.tables import authorizations, sessions, users
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class Redeeming:
    """The authorization of a code, used or not, with its person and their session."""

    authorization: AuthorizationFacts
    user: UserFacts | None
    session: SessionFacts | None


_PARTS = Joined({AuthorizationFacts: authorizations, UserFacts: users, SessionFacts: sessions})
_BY_CODE = (
    select(*_PARTS.columns)
    .select_from(authorizations)
    .outerjoin(users, of_same_tenant(users, authorizations, id=authorizations.c.user_id))
    .outerjoin(sessions, of_same_tenant(sessions, authorizations, id=authorizations.c.session_id))
    .where(
        authorizations.c.tenant_id == bindparam("tenant"),
        authorizations.c.code_digest.in_(bindparam("digests", expanding=True)),
    )
)


def find(db: TenantSession, digests: Sequence[str]) -> Redeeming | None:
    found = db.connection.execute(_BY_CODE, {"tenant": db.tenant_id, "digests": digests})
    row = found.one_or_none()
    return Redeeming(*_PARTS.read(row)) if row else None
