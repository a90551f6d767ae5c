"""The one room where token families end."""

from __future__ import annotations

from tenantry.store import tokens
from tenantry.store.audit import Event, record
from tenantry.store.unit_of_work import TenantSession


def end_family(db: TenantSession, family_id: str, reason: str, client_id: str) -> None:
    """Ends the tokens of one authorization; consent and session stay."""
    if tokens.end_family(db, family_id):
        record(
            db,
            Event(
                "token_family.ended",
                client_id=client_id,
                target_type="TokenFamily",
                target_id=family_id,
                details={"reason": reason},
            ),
        )


def end_families_of_user(db: TenantSession, user_id: str) -> None:
    """Ends all tokens of a user: after a new password, a block or a deletion."""
    tokens.end_families_of_user(db, user_id)


def end_families_of_client(db: TenantSession, user_id: str, client_id: str) -> None:
    """Ends all tokens that one application has of a user: after the consent was withdrawn."""
    tokens.end_families_of_client(db, user_id, client_id)
