"""Signing in with a password: the same answer and the same time for whom nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenantry.core.facts import TenantFacts, UserFacts
from tenantry.keys.passwords import needs_rehash
from tenantry.rules.nouns import MAX_PASSWORD
from tenantry.services.runtime import Runtime
from tenantry.store import applications, connections, users
from tenantry.store.unit_of_work import TenantSession
from tenantry.store.users import Login


@dataclass(frozen=True, slots=True)
class Proven:
    """A user whose password was right a moment ago, and the hash that it was checked against."""

    user: UserFacts
    password_hash: str
    new_hash: str | None


def candidates(
    db: TenantSession, tenant: TenantFacts, application_id: str, identifier: str
) -> tuple[Login, ...]:
    """Who may be meant, in the connections of the application, the default directory first."""
    ids: Sequence[str] = applications.connection_ids(db, application_id)
    if tenant.default_directory:
        default = connections.find_by_name(db, tenant.default_directory)
        if default and default.id in ids:
            ids = (default.id, *(id_ for id_ in ids if id_ != default.id))
    return users.find_logins(db, ids, identifier) if ids else ()


async def prove(runtime: Runtime, logins: Sequence[Login], password: str) -> Proven | None:
    """Checks the password against each candidate, and against nobody where there is none."""
    password = password[: MAX_PASSWORD + 1]
    proven: Proven | None = None
    for login in logins or (None,):
        stored = login.password_hash if login else None
        if await runtime.passwords.verify(password, stored) and login and stored:
            new = await runtime.passwords.hash(password) if needs_rehash(stored) else None
            proven = proven or Proven(login.user, stored, new)
    return proven if proven and not proven.user.blocked else None


def confirm(db: TenantSession, proven: Proven) -> UserFacts | None:
    """The user inside the unit of work, unless blocked, gone or given a new password since."""
    user = users.find(db, proven.user.id)
    if user is None or user.blocked:
        return None
    if user.password_changed_at != proven.user.password_changed_at:
        return None
    if proven.new_hash:
        users.rehash_password(db, user.id, proven.password_hash, proven.new_hash)
    return user
