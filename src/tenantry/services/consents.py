"""User grants: what users allowed applications, and how it is taken back."""

from __future__ import annotations

from tenantry.core.errors import not_found
from tenantry.services.changes import record_change
from tenantry.services.commands import Patch
from tenantry.store import consents
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens import revoke


def delete(db: TenantSession, patch: Patch) -> str:
    """Takes back a consent, and ends the tokens that the application has of the user.

    A token family does not say which consent it rests on, so all of them end. Returns the id.
    """
    current = consents.find_by_id(db, patch.id)
    if current is None:
        raise not_found("grant")
    consents.delete(db, current, patch.expected_revision)
    revoke.end_families_of_client(db, current.user_id, current.client_id)
    record_change(
        db,
        "consent.deleted",
        ("Grant", current.id),
        client_id=current.client_id,
        user_id=current.user_id,
    )
    return current.id
