"""Signing keys: next, current and previous by unique slots, revoked ones without their key."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.facts import KeyState, SigningAlgorithm, SigningKeyFacts
from tenantry.keys.signing import KeyRing, import_key, key_ring
from tenantry.store.epochs import bump
from tenantry.store.rows import to_facts
from tenantry.store.tables import signing_keys
from tenantry.store.unit_of_work import TenantSession


def envelope_row(tenant_id: str, kid: str) -> str:
    """What the envelope of a private key is bound to."""
    return f"signing_keys/{tenant_id}/{kid}"


def insert_if_free(db: TenantSession, facts: SigningKeyFacts, private_key: bytes) -> bool:
    """Puts a key into the slot of its state, unless another process was quicker."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    result = db.connection.execute(
        insert(signing_keys)
        .values(
            tenant_id=db.tenant_id,
            kid=facts.kid,
            alg=facts.alg.value,
            state=facts.state.value,
            slot=facts.state.value,
            public_key=facts.public_key,
            certificate=facts.certificate,
            private_key=db.vault.encrypt(private_key, envelope_row(db.tenant_id, facts.kid)),
            created_at=facts.created_at,
            current_since=facts.current_since,
            revoked_at=None,
        )
        .on_conflict_do_nothing()
    )
    if result.rowcount:
        bump(db)
    return bool(result.rowcount)


def ring(db: TenantSession, _: str = "") -> KeyRing:
    """The live keys, imported. Takes milliseconds: never on the loop."""
    rows = db.connection.execute(
        select(signing_keys).where(
            signing_keys.c.tenant_id == db.tenant_id,
            signing_keys.c.state != KeyState.REVOKED.value,
        )
    ).mappings()
    return key_ring(
        [
            import_key(
                to_facts(SigningKeyFacts, row),
                db.vault.decrypt(row["private_key"], envelope_row(db.tenant_id, row["kid"])),
            )
            for row in rows
        ]
    )


def find(db: TenantSession, kid: str) -> SigningKeyFacts | None:
    row = (
        db.connection.execute(
            select(signing_keys).where(
                signing_keys.c.tenant_id == db.tenant_id, signing_keys.c.kid == kid
            )
        )
        .mappings()
        .one_or_none()
    )
    return to_facts(SigningKeyFacts, row) if row else None


def live(db: TenantSession) -> tuple[SigningKeyFacts, ...]:
    return _listed(db, signing_keys.c.state != KeyState.REVOKED.value)


def last_revoked(db: TenantSession, number: int) -> tuple[SigningKeyFacts, ...]:
    rows = db.connection.execute(
        select(signing_keys)
        .where(
            signing_keys.c.tenant_id == db.tenant_id,
            signing_keys.c.state == KeyState.REVOKED.value,
        )
        .order_by(signing_keys.c.revoked_at.desc(), signing_keys.c.kid)
        .limit(number)
    ).mappings()
    return tuple(to_facts(SigningKeyFacts, row) for row in rows)


def _listed(db: TenantSession, condition: Any) -> tuple[SigningKeyFacts, ...]:
    rows = db.connection.execute(
        select(signing_keys)
        .where(signing_keys.c.tenant_id == db.tenant_id, condition)
        .order_by(signing_keys.c.alg, signing_keys.c.state, signing_keys.c.kid)
    ).mappings()
    return tuple(to_facts(SigningKeyFacts, row) for row in rows)


def move(db: TenantSession, alg: SigningAlgorithm, before: KeyState, after: KeyState) -> bool:
    """Moves the key of a state to another; a revoked one loses its private half for good."""
    values: dict[str, Any] = {"state": after.value, "slot": after.value}
    if after is KeyState.CURRENT:
        values["current_since"] = db.now
    if after is KeyState.REVOKED:
        values |= {"slot": signing_keys.c.kid, "revoked_at": db.now, "private_key": None}
    moved = db.connection.execute(
        update(signing_keys)
        .where(
            signing_keys.c.tenant_id == db.tenant_id,
            signing_keys.c.alg == alg.value,
            signing_keys.c.state == before.value,
        )
        .values(**values)
    ).rowcount
    bump(db)
    return bool(moved)
