"""Token families and the access tokens that belong to them. Never cached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.confirmation import Confirmation
from tenantry.store.records import find_row
from tenantry.store.rows import to_facts
from tenantry.store.tables import access_tokens, revoked_tokens, token_families
from tenantry.store.unit_of_work import TenantSession

_HALF_DIGEST = 32
_FAMILY_OF = (
    select(token_families)
    .join(
        access_tokens,
        (access_tokens.c.tenant_id == token_families.c.tenant_id)
        & (access_tokens.c.family_id == token_families.c.id),
    )
    .where(
        token_families.c.tenant_id == bindparam("tenant"),
        access_tokens.c.digest == bindparam("digest"),
    )
)
_KEEP = (
    update(token_families)
    .where(
        token_families.c.tenant_id == bindparam("tenant"),
        token_families.c.id == bindparam("family"),
        token_families.c.expires_at < bindparam("until"),
    )
    .values(expires_at=bindparam("until"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFamilyFacts:
    """The tokens of one authorization. `claims` were asked for at userinfo, one by one."""

    id: str
    client_id: str
    user_id: str
    session_id: str | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    organization_id: str | None = None
    claims: dict[str, Any] | None = None


def create_family(db: TenantSession, family: TokenFamilyFacts) -> None:
    values = {
        "tenant_id": db.tenant_id,
        "id": family.id,
        "client_id": family.client_id,
        "user_id": family.user_id,
        "organization_id": family.organization_id,
        "session_id": family.session_id,
        "created_at": family.created_at,
        "expires_at": family.expires_at,
        "ended_at": None,
    }
    db.connection.execute(insert(token_families), values)


def add_access_token(
    db: TenantSession,
    family_id: str,
    digest: str,
    expires_at: datetime,
    confirmation: Confirmation | None = None,
) -> None:
    db.connection.execute(
        insert(access_tokens),
        {
            "tenant_id": db.tenant_id,
            "digest": digest,
            "family_id": family_id,
            "expires_at": expires_at,
            "confirmation": asdict(confirmation) if confirmation else None,
        },
    )


def note_content(db: TenantSession, digest: str, content: Mapping[str, Any]) -> None:
    """Remembers what an access token says that its API alone can read."""
    db.connection.execute(
        update(access_tokens)
        .where(access_tokens.c.tenant_id == db.tenant_id, access_tokens.c.digest == digest)
        .values(content=dict(content))
    )


def note_claims(db: TenantSession, family_id: str, claims: Mapping[str, Any]) -> None:
    """Remembers the claims that userinfo releases beside those of the scopes."""
    db.connection.execute(
        update(token_families)
        .where(token_families.c.tenant_id == db.tenant_id, token_families.c.id == family_id)
        .values(claims=dict(claims))
    )


def family_of_access_token(db: TenantSession, digest: str) -> TokenFamilyFacts | None:
    found = db.connection.execute(_FAMILY_OF, {"tenant": db.tenant_id, "digest": digest})
    row = found.mappings().one_or_none()
    return to_facts(TokenFamilyFacts, row) if row else None


def family_of_half_digest(db: TenantSession, half: str) -> TokenFamilyFacts | None:
    """The family of an access token of whose digest only the first half is known."""
    if len(half) != _HALF_DIGEST:
        return None
    row = (
        db.connection.execute(
            select(token_families)
            .join(
                access_tokens,
                (access_tokens.c.tenant_id == token_families.c.tenant_id)
                & (access_tokens.c.family_id == token_families.c.id),
            )
            .where(
                token_families.c.tenant_id == db.tenant_id,
                access_tokens.c.digest >= half + "0" * _HALF_DIGEST,
                access_tokens.c.digest <= half + "f" * _HALF_DIGEST,
            )
            .limit(1)
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


def end_families_of_client(db: TenantSession, user_id: str, client_id: str) -> int:
    """Ends what a user allowed one application, and only that."""
    return db.connection.execute(
        update(token_families)
        .where(
            token_families.c.tenant_id == db.tenant_id,
            token_families.c.user_id == user_id,
            token_families.c.client_id == client_id,
            token_families.c.ended_at.is_(None),
        )
        .values(ended_at=db.now)
    ).rowcount


def find_family(db: TenantSession, id: str) -> TokenFamilyFacts | None:
    row = find_row(db, token_families, id=id)
    return to_facts(TokenFamilyFacts, row) if row else None


def keep_family(db: TenantSession, id: str, until: datetime) -> None:
    """Keeps the row of a family at least as long as a token of it lives."""
    db.connection.execute(_KEEP, {"tenant": db.tenant_id, "family": id, "until": until})


def forget_access_token(db: TenantSession, digest: str) -> bool:
    """Ends one access token of a family. Whether it was there until now."""
    return bool(
        db.connection.execute(
            delete(access_tokens).where(
                access_tokens.c.tenant_id == db.tenant_id, access_tokens.c.digest == digest
            )
        ).rowcount
    )


def revoke(db: TenantSession, digest: str, expires_at: datetime) -> bool:
    """Remembers that a token without a family was revoked. Whether it was good until now."""
    insert_ = sqlite.insert if db.is_sqlite else postgresql.insert
    return bool(
        db.connection.execute(
            insert_(revoked_tokens)
            .values(tenant_id=db.tenant_id, digest=digest, expires_at=expires_at)
            .on_conflict_do_nothing()
        ).rowcount
    )


def is_revoked(db: TenantSession, digest: str) -> bool:
    return find_row(db, revoked_tokens, digest=digest) is not None
