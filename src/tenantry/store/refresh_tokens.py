"""Refresh tokens: for each family that may refresh, the newest generation. Never cached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from tenantry.core.authorization_details import Details
from tenantry.core.confirmation import Confirmation
from tenantry.store.records import find_row
from tenantry.store.rows import to_facts, to_row
from tenantry.store.tables import refresh_tokens, token_families
from tenantry.store.tokens import TokenFamilyFacts
from tenantry.store.unit_of_work import TenantSession

_USE = update(refresh_tokens).where(
    refresh_tokens.c.tenant_id == bindparam("tenant"),
    refresh_tokens.c.family_id == bindparam("family"),
    refresh_tokens.c.generation == bindparam("newest"),
)

_OWN = tuple(refresh_tokens.c.keys())
_FAMILY = tuple(token_families.c.keys())
_WITH_FAMILY = (
    select(
        *(column.label(f"own_{column.name}") for column in refresh_tokens.c),
        *(column.label(f"family_{column.name}") for column in token_families.c),
    )
    .join(
        token_families,
        (token_families.c.tenant_id == refresh_tokens.c.tenant_id)
        & (token_families.c.id == refresh_tokens.c.family_id),
    )
    .where(
        refresh_tokens.c.tenant_id == bindparam("tenant"),
        refresh_tokens.c.family_id == bindparam("family"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTokenFacts:
    """What the refresh tokens of a family may do. `audience` is None for `/userinfo` alone.

    `confirmation` is what whoever refreshes has to prove, where the application has no secret.
    """

    family_id: str
    issuer: str
    audience: str | None
    scopes: tuple[str, ...]
    auth_time: datetime
    generation: int
    rotated_at: datetime
    created_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    authorization_details: Details = ()
    confirmation: Confirmation | None = None

    @property
    def ends_at(self) -> datetime:
        return min(self.idle_expires_at, self.expires_at)


def create(db: TenantSession, facts: RefreshTokenFacts) -> None:
    names = RefreshTokenFacts.__dataclass_fields__
    values = to_row({name: getattr(facts, name) for name in names})
    db.connection.execute(insert(refresh_tokens), values | {"tenant_id": db.tenant_id})


def find(db: TenantSession, family_id: str) -> RefreshTokenFacts | None:
    row = find_row(db, refresh_tokens, family_id=family_id)
    return to_facts(RefreshTokenFacts, row) if row else None


def find_with_family(
    db: TenantSession, family_id: str
) -> tuple[RefreshTokenFacts, TokenFamilyFacts] | None:
    found = db.connection.execute(_WITH_FAMILY, {"tenant": db.tenant_id, "family": family_id})
    row = found.one_or_none()
    if row is None:
        return None
    values = tuple(row)
    own, family = values[: len(_OWN)], values[len(_OWN) :]
    return (
        to_facts(RefreshTokenFacts, dict(zip(_OWN, own, strict=True))),
        to_facts(TokenFamilyFacts, dict(zip(_FAMILY, family, strict=True))),
    )


def use(
    db: TenantSession, family_id: str, generation: int, idle_expires_at: datetime, *, rotate: bool
) -> bool:
    """Uses the newest generation, and makes the next. Of contenders that rotate one gets True."""
    rotated = {"generation": generation + 1, "rotated_at": db.now} if rotate else {}
    used = {"tenant": db.tenant_id, "family": family_id, "newest": generation}
    changed = {"idle_expires_at": idle_expires_at, **rotated}
    return bool(db.connection.execute(_USE, used | changed).rowcount)
