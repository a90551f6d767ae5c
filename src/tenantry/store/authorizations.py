"""Authorizations, from the request to the redeemed code. Never cached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Update,
    bindparam,
    insert,
    literal,
    select,
    update,
)

from tenantry.store.rows import to_facts, to_row
from tenantry.store.tables import authorizations
from tenantry.store.unit_of_work import TenantSession


class AuthorizationState(StrEnum):
    """`pending` waits for the person, `issued` has a code, the others are ends."""

    PENDING = "pending"
    ISSUED = "issued"
    REDEEMED = "redeemed"
    REFUSED = "refused"


def _while(condition: ColumnElement[bool]) -> Update:
    return update(authorizations).where(
        authorizations.c.tenant_id == bindparam("tenant"),
        authorizations.c.id == bindparam("authorization"),
        condition,
    )


_BY_HANDLE = select(authorizations).where(
    authorizations.c.tenant_id == bindparam("tenant"),
    authorizations.c.handle_digest.in_(bindparam("digests", expanding=True)),
)
_ADVANCE = _while(authorizations.c.state == literal(AuthorizationState.PENDING.value))
_CLAIM = _while(authorizations.c.consumed_at.is_(None))


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
    own = {"tenant_id": db.tenant_id, "handle_digest": handle_digest, "code_digest": None}
    db.connection.execute(insert(authorizations), values | own)


def find_by_handle(db: TenantSession, digests: Sequence[str]) -> AuthorizationFacts | None:
    found = db.connection.execute(_BY_HANDLE, {"tenant": db.tenant_id, "digests": digests})
    row = found.mappings().one_or_none()
    return to_facts(AuthorizationFacts, row) if row else None


def advance(
    db: TenantSession, id: str, values: Mapping[str, Any], code_digest: str | None = None
) -> bool:
    """Changes an authorization that still waits; False where it does not."""
    written = to_row(values)
    if code_digest is not None:
        written["code_digest"] = code_digest
    named = {"tenant": db.tenant_id, "authorization": id}
    return bool(db.connection.execute(_ADVANCE, written | named).rowcount)


def claim_code(db: TenantSession, id: str, family_id: str, keep_until: datetime) -> bool:
    """Consumes the code. Of any number of contenders one gets True.

    The row is kept as long as its tokens live, so that a replay can end them.
    """
    claimed = {
        "consumed_at": db.now,
        "family_id": family_id,
        "expires_at": keep_until,
        "state": AuthorizationState.REDEEMED.value,
    }
    named = {"tenant": db.tenant_id, "authorization": id}
    return bool(db.connection.execute(_CLAIM, claimed | named).rowcount)
