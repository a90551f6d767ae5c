"""Keys that request objects are encrypted to: one current, one set aside, by a unique slot."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.facts import KeyState
from tenantry.keys.server_encryption import DecryptionKeys, import_decryption_key
from tenantry.store.epochs import bump
from tenantry.store.tables import encryption_keys
from tenantry.store.unit_of_work import TenantSession


def envelope_row(tenant_id: str, kid: str) -> str:
    """What the envelope of a private key is bound to."""
    return f"encryption_keys/{tenant_id}/{kid}"


def insert_if_free(db: TenantSession, kid: str, private_key: bytes) -> bool:
    """Makes a key the current one, unless another process was quicker."""
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    result = db.connection.execute(
        insert(encryption_keys)
        .values(
            tenant_id=db.tenant_id,
            kid=kid,
            state=KeyState.CURRENT.value,
            private_key=db.vault.encrypt(private_key, envelope_row(db.tenant_id, kid)),
            created_at=db.now,
        )
        .on_conflict_do_nothing()
    )
    if result.rowcount:
        bump(db)
    return bool(result.rowcount)


def ring(db: TenantSession, _: str = "") -> DecryptionKeys:
    """The keys, imported, the current one first. Takes milliseconds: never on the loop."""
    rows = db.connection.execute(
        select(encryption_keys)
        .where(encryption_keys.c.tenant_id == db.tenant_id)
        .order_by(encryption_keys.c.state)
    ).mappings()
    return DecryptionKeys(
        tuple(
            import_decryption_key(
                row["kid"],
                KeyState(row["state"]),
                db.vault.decrypt(row["private_key"], envelope_row(db.tenant_id, row["kid"])),
            )
            for row in rows
        )
    )


def set_aside(db: TenantSession) -> bool:
    """The current key decrypts still, and is published no more."""
    moved = db.connection.execute(
        update(encryption_keys)
        .where(
            encryption_keys.c.tenant_id == db.tenant_id,
            encryption_keys.c.state == KeyState.CURRENT.value,
        )
        .values(state=KeyState.PREVIOUS.value)
    ).rowcount
    bump(db)
    return bool(moved)


def remove(db: TenantSession, state: KeyState) -> bool:
    """Whether there was a key of this state. It is gone for good."""
    removed = db.connection.execute(
        delete(encryption_keys).where(
            encryption_keys.c.tenant_id == db.tenant_id, encryption_keys.c.state == state.value
        )
    ).rowcount
    bump(db)
    return bool(removed)
