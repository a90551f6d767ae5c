"""All that is stored of a user's access token, for who presents it: one statement. Never cached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from tenantry.core.confirmation import Confirmation
from tenantry.core.facts import UserFacts
from tenantry.store.joined import Joined, of_same_tenant
from tenantry.store.tables import access_tokens, token_families, users
from tenantry.store.tokens import TokenFamilyFacts
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class AccessTokenFacts:
    """`confirmation` and `content` are of tokens that their APIs alone can read."""

    digest: str
    expires_at: datetime
    confirmation: Confirmation | None
    content: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A token that was issued and not revoked, with its family, which may have ended."""

    token: AccessTokenFacts
    family: TokenFamilyFacts
    user: UserFacts | None


_PARTS = Joined(
    {AccessTokenFacts: access_tokens, TokenFamilyFacts: token_families, UserFacts: users}
)
_PRESENTED = (
    select(*_PARTS.columns)
    .select_from(access_tokens)
    .join(
        token_families,
        of_same_tenant(token_families, access_tokens, id=access_tokens.c.family_id),
    )
    .outerjoin(users, of_same_tenant(users, token_families, id=token_families.c.user_id))
    .where(
        access_tokens.c.tenant_id == bindparam("tenant"),
        access_tokens.c.digest == bindparam("digest"),
    )
)


def find(db: TenantSession, digest: str) -> PresentedToken | None:
    found = db.connection.execute(_PRESENTED, {"tenant": db.tenant_id, "digest": digest})
    row = found.one_or_none()
    return PresentedToken(*_PARTS.read(row)) if row else None
