"""Token families and the access tokens that belong to them. Never cached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from tenantry.store.rows import to_facts
from tenantry.store.tables import access_tokens, token_families
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFamilyFacts:
    """The tokens of one authorization."""

    id: str
    client_id: str
    user_id: str
    session_id: str | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


def create_family(db: TenantSession, family: TokenFamilyFacts) -> None:
    db.connection.execute(
        insert(token_families).values(
            tenant_id=db.tenant_id,
            id=family.id,
            client_id=family.client_id,
            user_id=family.user_id,
            session_id=family.session_id,
            created_at=family.created_at,
            expires_at=family.expires_at,
            ended_at=None,
        )
    )


def add_access_token(db: TenantSession, family_id: str, digest: str, expires_at: datetime) -> None:
    db.connection.execute(
        insert(access_tokens).values(
            tenant_id=db.tenant_id, digest=digest, family_id=family_id, expires_at=expires_at
        )
    )


def family_of_access_token(db: TenantSession, digest: str) -> TokenFamilyFacts | None:
    row = (
        db.connection.execute(
            select(token_families)
            .join(
                access_tokens,
                (access_tokens.c.tenant_id == token_families.c.tenant_id)
                & (access_tokens.c.family_id == token_families.c.id),
            )
            .where(token_families.c.tenant_id == db.tenant_id, access_tokens.c.digest == digest)
        )
        .mappings()
        .one_or_none()
    )
    return to_facts(TokenFamilyFacts, row) if row else None


def end_family(db: TenantSession, id: str) -> bool:
    """Whether the family was alive until now."""
    return bool(
        db.connection.execute(
            update(token_families)
            .where(
                token_families.c.tenant_id == db.tenant_id,
                token_families.c.id == id,
                token_families.c.ended_at.is_(None),
            )
            .values(ended_at=db.now)
        ).rowcount
    )


def end_families_of_user(db: TenantSession, user_id: str) -> int:
    return db.connection.execute(
        update(token_families)
        .where(
            token_families.c.tenant_id == db.tenant_id,
            token_families.c.user_id == user_id,
            token_families.c.ended_at.is_(None),
        )
        .values(ended_at=db.now)
    ).rowcount
