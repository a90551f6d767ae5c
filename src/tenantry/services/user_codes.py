"""CIBA Core §7.1: the `user_code` of a person, which an application must know to ask them.

Law: it is only compared, and guessing ends.
"""

from __future__ import annotations

from datetime import timedelta

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import UserFacts
from tenantry.services.commands import Patch
from tenantry.store import attempts, users
from tenantry.store.audit import Event, record
from tenantry.store.unit_of_work import TenantSession

_PURPOSE = "backchannel user code"
GUESSES, GUESS_WINDOW = 5, timedelta(minutes=15)
MIN_CODE, MAX_CODE = 4, 64


def set_code(db: TenantSession, patch: Patch, code: str | None) -> UserFacts:
    """A new code, or none."""
    current = users.find(db, patch.id)
    if current is None:
        raise not_found("user")
    digest = None
    if code is not None:
        if not MIN_CODE <= len(code) <= MAX_CODE or not code.isascii() or not code.isprintable():
            raise DomainError(
                ErrorCode.INVALID,
                f"A user code has {MIN_CODE} to {MAX_CODE} visible ASCII characters.",
                "user_code",
            )
        digest = db.vault.digest(_named(current.id, code), _PURPOSE)
    users.change(db, current, {"user_code_digest": digest}, patch.expected_revision)
    record(
        db,
        Event(
            "user.user_code_set",
            user_id=current.id,
            target_type="User",
            target_id=current.id,
            details={"has_code": code is not None},
        ),
    )
    return users.find(db, current.id) or current


def matches(db: TenantSession, user_id: str, given: str) -> bool:
    """Whether it is the person's code. After five wrong ones nothing is, for a while."""
    subject = f"user code of {user_id}"
    made = attempts.add(db, subject, GUESS_WINDOW)
    right = db.vault.matches(_named(user_id, given), users.user_code_digest(db, user_id), _PURPOSE)
    if made.count > GUESSES or not right:
        return False
    attempts.take_back(db, subject)
    return True


def _named(user_id: str, code: str) -> str:
    return f"{user_id} {code}"
