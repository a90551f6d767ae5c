"""Signing in with a password: the same answer and the same time for whom nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from tenantry.core.facts import TenantFacts, UserFacts
from tenantry.keys.passwords import needs_rehash
from tenantry.rules.fields import normalize_email
from tenantry.rules.users import MAX_PASSWORD
from tenantry.services.runtime import Runtime
from tenantry.store import applications, attempts, connections, organizations, users
from tenantry.store.unit_of_work import TenantSession
from tenantry.store.users import Decoy, Login

Candidate = Login | Decoy | None
"""Whom a name may mean; for a name that nobody has, what is checked in vain."""
_PURPOSE = "login attempt"
ATTEMPTS, WINDOW = 10, timedelta(minutes=15)
"""How many passwords may be tried for one name within the window, and how long it lasts."""


@dataclass(frozen=True, slots=True)
class TooManyAttempts:
    """Nobody may try a password for this name for so many seconds."""

    retry_after: int


@dataclass(frozen=True, slots=True)
class Proven:
    """A user whose password was right a moment ago, and the hash that it was checked against."""

    user: UserFacts
    password_hash: str
    new_hash: str | None


def attempt(
    db: TenantSession,
    tenant: TenantFacts,
    application_id: str,
    identifier: str,
    connection: str | None = None,
    organization_id: str | None = None,
) -> tuple[Candidate, ...] | TooManyAttempts:
    """Counts the attempt before the password is looked at, and says who may be meant.

    Known and unknown names are counted alike. `connection` names the only one to look in;
    an organization has connections of its own among those of the application.
    """
    made = attempts.add(db, _subject(db, identifier), WINDOW)
    if made.count > ATTEMPTS:
        return TooManyAttempts(max(1, int((made.expires_at - db.now).total_seconds())))
    ids = applications.connection_ids(db, application_id)
    if organization_id is not None:
        own = organizations.connections_of_each(db, [organization_id]).get(organization_id, ())
        enabled = {each.connection_id for each in own}
        ids = tuple(id_ for id_ in ids if id_ in enabled)
    return _candidates(db, tenant, ids, identifier, connection)


def _subject(db: TenantSession, identifier: str) -> str:
    return f"password {db.vault.digest(normalize_email(identifier), _PURPOSE)}"


def is_connection_of(db: TenantSession, application_id: str, name: str) -> bool:
    """Whether users of a connection may sign in to the application."""
    found = connections.find_by_name(db, name)
    return found is not None and found.id in applications.connection_ids(db, application_id)


def _candidates(
    db: TenantSession,
    tenant: TenantFacts,
    ids: Sequence[str],
    identifier: str,
    connection: str | None,
) -> tuple[Candidate, ...]:
    """In these connections, the default directory first."""
    if connection is not None:
        only = connections.find_by_name(db, connection)
        ids = (only.id,) if only and only.id in ids else ()
    elif tenant.default_directory:
        default = connections.find_by_name(db, tenant.default_directory)
        if default and default.id in ids:
            ids = (default.id, *(id_ for id_ in ids if id_ != default.id))
    found = users.find_logins(db, ids, identifier) if ids else ()
    return found or (users.decoy(db, ids[0], identifier) if ids else None,)


async def prove(runtime: Runtime, candidates: Sequence[Candidate], password: str) -> Proven | None:
    """Checks the password against each candidate, and in vain where there is none."""
    password = password[: MAX_PASSWORD + 1]
    proven: Proven | None = None
    for candidate in candidates:
        stored = candidate.password_hash if candidate else None
        is_right = await runtime.passwords.verify(password, stored)
        if is_right and isinstance(candidate, Login) and stored:
            new = await runtime.passwords.hash(password) if needs_rehash(stored) else None
            proven = proven or Proven(candidate.user, stored, new)
    return proven if proven and not proven.user.blocked else None


def meant(candidates: Sequence[Candidate]) -> UserFacts | None:
    """Whom a wrong password was for."""
    first = candidates[0] if candidates else None
    return first.user if isinstance(first, Login) else None


def confirm(db: TenantSession, proven: Proven, identifier: str) -> UserFacts | None:
    """The user inside the unit of work, unless blocked, gone or given a new password since.

    The attempts for the name, by which the user was found, are forgotten.
    """
    user = users.find(db, proven.user.id)
    if user is None or user.blocked:
        return None
    if user.password_changed_at != proven.user.password_changed_at:
        return None
    if proven.new_hash:
        users.rehash_password(db, user.id, proven.password_hash, proven.new_hash)
    attempts.forget(db, _subject(db, identifier))
    return user
