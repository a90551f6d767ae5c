"""Authorizations, from the request to the redeemed code. Never cached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, update

from tenantry.store.rows import to_facts, to_row
from tenantry.store.tables import authorizations
from tenantry.store.unit_of_work import TenantSession


class AuthorizationState(StrEnum):
    """`pending` waits for the person, `issued` has a code, the others are ends."""

    PENDING = "pending"
    ISSUED = "issued"
    REDEEMED = "redeemed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationFacts:
    """`request` is what was asked; `scopes` are those that the decision left."""

    id: str
    state: AuthorizationState
    issuer: str
    client_id: str
    request: dict[str, Any]
    browser_digest: str | None
    session_id: str | None
    user_id: str | None
    auth_time: datetime | None
    authenticated_at: datetime | None
    account_chosen: bool = False
    consented: bool
    confirmed: bool = False
    scopes: tuple[str, ...]
    code_expires_at: datetime | None
    consumed_at: datetime | None
    family_id: str | None
    created_at: datetime
    expires_at: datetime


def create(db: TenantSession, facts: AuthorizationFacts, handle_digest: str | None) -> None:
    names = AuthorizationFacts.__dataclass_fields__
    values = to_row({name: getattr(facts, name) for name in names})
    db.connection.execute(
        insert(authorizations).values(
            **values, tenant_id=db.tenant_id, handle_digest=handle_digest, code_digest=None
        )
    )


def find_by_handle(db: TenantSession, digests: Sequence[str]) -> AuthorizationFacts | None:
    return _find(db, authorizations.c.handle_digest.in_(digests))


def find_by_code(db: TenantSession, digests: Sequence[str]) -> AuthorizationFacts | None:
    return _find(db, authorizations.c.code_digest.in_(digests))


def _find(db: TenantSession, condition: Any) -> AuthorizationFacts | None:
    row = (
        db.connection.execute(
            select(authorizations).where(authorizations.c.tenant_id == db.tenant_id, condition)
        )
        .mappings()
        .one_or_none()
    )
    return to_facts(AuthorizationFacts, row) if row else None


def advance(
    db: TenantSession, id: str, values: Mapping[str, Any], code_digest: str | None = None
) -> bool:
    """Changes an authorization that still waits; False where it does not."""
    written = to_row(values)
    if code_digest is not None:
        written["code_digest"] = code_digest
    return bool(
        db.connection.execute(
            update(authorizations)
            .where(
                authorizations.c.tenant_id == db.tenant_id,
                authorizations.c.id == id,
                authorizations.c.state == AuthorizationState.PENDING.value,
            )
            .values(**written)
        ).rowcount
    )


def claim_code(db: TenantSession, id: str, family_id: str, keep_until: datetime) -> bool:
    """Consumes the code. Of any number of contenders one gets True.

    The row is kept as long as its tokens live, so that a replay can end them.
    """
    return bool(
        db.connection.execute(
            update(authorizations)
            .where(
                authorizations.c.tenant_id == db.tenant_id,
                authorizations.c.id == id,
                authorizations.c.consumed_at.is_(None),
            )
            .values(
                consumed_at=db.now,
                family_id=family_id,
                expires_at=keep_until,
                state=AuthorizationState.REDEEMED.value,
            )
        ).rowcount
    )
