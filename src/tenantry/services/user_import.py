"""Users that come from elsewhere, many at a time: by the rules of a single one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import ConnectionFacts
from tenantry.services import roles, users
from tenantry.services.commands import NewUser, Patch
from tenantry.store import new_users
from tenantry.store import roles as role_rows
from tenantry.store.audit import record_all
from tenantry.store.unit_of_work import TenantSession


@dataclass(frozen=True, slots=True)
class ImportedUser:
    """A line of an import. `roles` are names; None as `blocked` leaves an existing user's.

    `checked` is what is stored, where the rules were asked before.
    """

    user: NewUser
    roles: tuple[str, ...] = ()
    blocked: bool | None = None
    checked: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a line."""

    id: str
    is_new: bool


def import_new(
    db: TenantSession, connection: ConnectionFacts, lines: Sequence[ImportedUser]
) -> tuple[Imported | DomainError, ...]:
    """Makes the users that the connection has not; a refused one leaves no trace."""
    outcomes: list[Imported | DomainError | None] = [None] * len(lines)
    prepared: list[tuple[int, Mapping[str, Any], tuple[str, ...]]] = []
    role_ids = _role_ids(db, lines)
    for index, line in enumerate(lines):
        try:
            values = line.checked or users.new_values(line.user)
            prepared.append((index, values, _of_names(role_ids, line.roles)))
        except DomainError as refusal:
            outcomes[index] = refusal
    rows = [users.new_row(db, connection, values) for _, values, _ in prepared]
    made = new_users.create_each(db, rows) if rows else ()
    events = []
    for (index, values, _), outcome in zip(prepared, made, strict=True):
        if isinstance(outcome, DomainError):
            outcomes[index] = outcome
        else:
            outcomes[index] = Imported(outcome, is_new=True)
            events.append(users.created(outcome, values))
    record_all(db, events)
    for (_, _, given), outcome in zip(prepared, made, strict=True):
        if given and isinstance(outcome, str):
            roles.give_roles(db, Patch(outcome), given)
    return tuple(outcome for outcome in outcomes if outcome is not None)


def upsert(db: TenantSession, connection: ConnectionFacts, line: ImportedUser) -> Imported:
    """Makes the user, or changes the one that has the email or, without it, the username.

    A hash replaces the password, which ends the user's sessions and tokens.
    """
    values = line.user.values
    current = new_users.find_by_identifier(
        db, connection.id, values.get("email"), values.get("username")
    )
    if current is None:
        (outcome,) = import_new(db, connection, [line])
        if isinstance(outcome, DomainError):
            raise outcome
        return outcome
    users.update(db, Patch(current.id, values))
    if line.user.imported_hash is not None:
        users.import_password(db, Patch(current.id), line.user.imported_hash)
    if line.blocked is not None and line.blocked != current.blocked:
        users.set_blocked(db, Patch(current.id), blocked=line.blocked)
    if line.roles:
        roles.give_roles(db, Patch(current.id), _of_names(_role_ids(db, [line]), line.roles))
    return Imported(current.id, is_new=False)


def _role_ids(db: TenantSession, lines: Sequence[ImportedUser]) -> dict[str, str]:
    names = {name for line in lines for name in line.roles}
    return role_rows.ids_of_names(db, sorted(names)) if names else {}


def _of_names(role_ids: Mapping[str, str], names: Sequence[str]) -> tuple[str, ...]:
    if len(names) > roles.MAX_ROLES:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {roles.MAX_ROLES} roles.", "roles")
    for index, name in enumerate(names):
        if name not in role_ids:
            raise not_found("role", "roles", str(index))
    return tuple(role_ids[name] for name in names)
