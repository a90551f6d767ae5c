"""Users: making, changing, blocking, and their passwords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.facts import ConnectionFacts, UserFacts
from tenantry.keys.exported_passwords import kept_form
from tenantry.keys.imported_passwords import UnusableHash
from tenantry.rules import users as rules
from tenantry.rules.fields import checked, with_defaults
from tenantry.rules.metadata import merged
from tenantry.services import sessions
from tenantry.services.changes import change_event, record_change
from tenantry.services.commands import NewUser, Patch
from tenantry.store import (
    connections,
    consents,
    organization_members,
    pairwise_subjects,
    roles,
    users,
)
from tenantry.store.audit import Event, record
from tenantry.store.unit_of_work import TenantSession
from tenantry.tokens import revoke

_METADATA = ("user_metadata", "app_metadata")


def check_password(db: TenantSession, connection: str, password: str) -> None:
    """Whether the policy of a connection, by its name, allows a password for a new user."""
    rules.password(password, require_connection(db, connection).password_minimum_length)


def check_password_of(db: TenantSession, user_id: str, password: str) -> None:
    """The same for the connection of an existing user."""
    connection = connections.find(db, require_user(db, user_id).connection_id)
    if connection is None:
        raise not_found("connection")
    rules.password(password, connection.password_minimum_length)


def create(db: TenantSession, command: NewUser) -> UserFacts:
    """Needs an email or a username. The password was checked and hashed before."""
    connection = require_connection(db, command.connection)
    values = new_values(command)
    row_id = users.create(db, new_row(db, connection, values))
    record(db, created(row_id, values))
    return require_user(db, row_id)


def new_values(command: NewUser) -> dict[str, Any]:
    """What is stored of a new user, after every rule that needs no database."""
    values = with_defaults(rules.USER_FIELDS, command.values)
    for name in _METADATA:
        values[name] = merged({}, values[name], name)
    _require_identifier(values)
    hashed = command.password_hash
    if command.imported_hash is not None:
        hashed = _kept(command.imported_hash)
    return values | {"password_hash": hashed, "blocked": command.blocked}


def new_row(
    db: TenantSession, connection: ConnectionFacts, values: Mapping[str, Any]
) -> dict[str, Any]:
    """The row of a new user in a connection."""
    return {
        **values,
        "connection_id": connection.id,
        "password_changed_at": db.now if values["password_hash"] else None,
        "last_login_at": None,
    }


def created(row_id: str, values: Mapping[str, Any]) -> Event:
    """What the audit log says of a new user."""
    shown = {
        name: value
        for name, value in values.items()
        if value or name not in {"password_hash", "blocked"}
    }
    return change_event("user.created", ("User", row_id), after=shown, user_id=row_id)


def _kept(imported_hash: str) -> str:
    try:
        return kept_form(imported_hash)
    except UnusableHash as reason:
        raise DomainError(ErrorCode.INVALID, str(reason), "password_hash") from None


def update(db: TenantSession, patch: Patch) -> UserFacts:
    current = require_user(db, patch.id)
    values = checked(rules.USER_FIELDS, patch.values)
    for name in _METADATA:
        if patch.values.get(name) is not None:
            values[name] = merged(getattr(current, name), values[name], name)
    _require_identifier(
        {name: values.get(name, getattr(current, name)) for name in ("email", "username")}
    )
    users.change(db, current, values, patch.expected_revision)
    record_change(
        db,
        "user.updated",
        ("User", current.id),
        before=current,
        after=values,
        user_id=current.id,
    )
    return require_user(db, current.id)


def set_password(db: TenantSession, patch: Patch, password_hash: str) -> UserFacts:
    """Replaces the password and ends the sessions and tokens that the old one made."""
    current = require_user(db, patch.id)
    values = {"password_hash": password_hash, "password_changed_at": db.now}
    users.change(db, current, values, patch.expected_revision)
    end_sign_ins(db, current.id)
    record_change(
        db,
        "user.password_set",
        ("User", current.id),
        before=current,
        after={"password_hash": ""},
        user_id=current.id,
    )
    return require_user(db, current.id)


def import_password(db: TenantSession, patch: Patch, imported_hash: str) -> UserFacts:
    """The same with a hash that another system made."""
    return set_password(db, patch, _kept(imported_hash))


def set_blocked(db: TenantSession, patch: Patch, *, blocked: bool) -> UserFacts:
    """A blocked user cannot sign in, and is signed out everywhere at once."""
    current = require_user(db, patch.id)
    users.change(db, current, {"blocked": blocked}, patch.expected_revision)
    if blocked:
        end_sign_ins(db, current.id)
    record_change(
        db,
        "user.blocked" if blocked else "user.unblocked",
        ("User", current.id),
        before=current,
        after={"blocked": blocked},
        user_id=current.id,
    )
    return require_user(db, current.id)


def delete(db: TenantSession, patch: Patch) -> str:
    """Removes the user with sessions, tokens, consents and permissions. Returns the id."""
    current = require_user(db, patch.id)
    users.delete(db, current, patch.expected_revision)
    end_sign_ins(db, current.id)
    consents.delete_for_user(db, current.id)
    roles.take_all(db, current.id)
    organization_members.remove_everywhere(db, current.id)
    pairwise_subjects.forget_user(db, current.id)
    record_change(db, "user.deleted", ("User", current.id), user_id=current.id)
    return current.id


def end_sign_ins(db: TenantSession, user_id: str) -> None:
    """Ends every session and every token family of a user."""
    sessions.end_for_user(db, user_id)
    revoke.end_families_of_user(db, user_id)


def require_connection(db: TenantSession, name: str) -> ConnectionFacts:
    connection = connections.find_by_name(db, name)
    if connection is None:
        raise not_found("connection", "connection")
    return connection


def require_user(db: TenantSession, id: str) -> UserFacts:
    user = users.find(db, id)
    if user is None:
        raise not_found("user")
    return user


def _require_identifier(values: dict[str, Any]) -> None:
    if not values["email"] and not values["username"]:
        raise DomainError(ErrorCode.REQUIRED, "A user needs an email or a username.", "email")
