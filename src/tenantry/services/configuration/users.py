"""Users in a document, with what they may do. Never the password: who is new here has none.

Law: only users that a document or a request names are ever looked at, because a tenant may have a
million. A document finds a user in a connection by the email or, where it says none, the username.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import UserFacts
from tenantry.rules.fields import Field, checked, flag, list_of, normalize_email, text
from tenantry.rules.metadata import merged
from tenantry.rules.organizations import organization_name
from tenantry.rules.users import USER_FIELDS
from tenantry.services import users
from tenantry.services.commands import NewUser, Patch
from tenantry.services.configuration import noun as base
from tenantry.services.configuration.audiences import defined_scopes
from tenantry.services.configuration.listing import everything
from tenantry.services.configuration.noun import Done, Existing, Named, Noun, Values, Work
from tenantry.services.configuration.roles import PermissionsShape, permissions
from tenantry.services.configuration.user_access import MembershipShape, change_access
from tenantry.services.roles import MAX_ROLES
from tenantry.store import connections as connection_rows
from tenantry.store import new_users
from tenantry.store import organization_members as members
from tenantry.store import roles as role_rows
from tenantry.store import users as rows

NAME = "users"
MAX_USERS = 1_000
_METADATA = ("user_metadata", "app_metadata")
_ACCESS = ("roles", "permissions", "organizations")
_role_names = list_of(text(100, 1), MAX_ROLES)


def _roles(value: Any, path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(_role_names(value, path)))


def _memberships(value: Iterable[MembershipShape], path: tuple[str, ...]) -> Any:
    """Each organization once and in order, so that two spellings of the same are the same."""
    found: dict[str, MembershipShape] = {}
    for index, one in enumerate(value):
        place = (*path, str(index))
        name = organization_name(one.organization, (*place, "organization"))
        if name in found:
            message = "The organization is listed twice."
            raise DomainError(ErrorCode.INVALID, message, *place, "organization")
        names = _roles(one.roles, (*place, "roles"))
        found[name] = MembershipShape(organization=name, roles=names)
    if len(found) > MAX_USERS:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_USERS} organizations.", *path)
    return tuple(found[name] for name in sorted(found))


FIELDS: Mapping[str, Field] = {
    "connection": Field(text(128, 1)),
    **USER_FIELDS,
    "blocked": Field(flag, False),
    "roles": Field(_roles, ()),
    "permissions": Field(permissions, ()),
    "organizations": Field(_memberships, ()),
}
SHAPES: Mapping[str, Any] = {
    "connection": str,
    "user_metadata": dict[str, Any],
    "app_metadata": dict[str, Any],
    "roles": tuple[str, ...],
    "permissions": tuple[PermissionsShape, ...],
    "organizations": tuple[MembershipShape, ...],
}


@dataclass(frozen=True, slots=True)
class _Found:
    user: UserFacts
    connection: str


def name_of(noun: Noun, values: Values) -> str:
    return _key(str(values["connection"]), values.get("email") or values.get("username"))


def _key(connection: str, identifier: Any) -> str:
    if not identifier:
        raise DomainError(ErrorCode.REQUIRED, "A user needs an email or a username.", "email")
    return f"{connection.strip()} {normalize_email(str(identifier))}"


def named_in(document: Any, deletes: Iterable[Named]) -> tuple[str, ...]:
    """The keys of the users that a document and its deletes name; what is odd is told later."""
    keys = dict.fromkeys(one.key for one in deletes if one.noun == NAME)
    for one in document if isinstance(document, list) else ():
        if isinstance(one, dict):
            identifier = one.get("email") or one.get("username")
            if identifier:
                keys[_key(str(one.get("connection")), identifier)] = None
    if len(keys) > MAX_USERS:
        message = f"At most {MAX_USERS} users; more of them come by a job."
        raise DomainError(ErrorCode.TOO_MANY, message, NAME)
    return tuple(keys)


def resolve(work: Work, names: Sequence[str]) -> tuple[str, ...]:
    """The keys of users that are named by their id, email or username, in every connection."""
    if not names:
        return ()
    if len(names) > MAX_USERS:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_USERS} users.", NAME)
    connections = _connection_names(work)
    by_id = rows.find_by_ids(work.db, names)
    named = new_users.find_by_identifiers(work.db, tuple(connections), names)
    keys: dict[str, None] = {}
    for index, name in enumerate(names):
        normal = normalize_email(name)
        meant = [by_id[name]] if name in by_id else []
        meant += [user for user in named if normal in _identifiers(user)]
        if not meant:
            raise DomainError(
                ErrorCode.NOT_FOUND, f"There is no user {name[:128]}.", NAME, str(index)
            )
        for user in meant:
            keys[_key(connections[user.connection_id], user.email or user.username)] = None
    return tuple(keys)


def _identifiers(user: UserFacts) -> set[str]:
    return {normalize_email(name) for name in (user.email, user.username) if name}


def _connection_names(work: Work) -> dict[str, str]:
    return {one.id: one.name for one in everything(work.db, connection_rows.page)}


def load(work: Work) -> Iterable[Existing]:
    """Those that are named; permissions that the API has no more are left out."""
    keys = work.named.get(NAME, ())
    if not keys:
        return
    found = _found(work, keys)
    ids = [one.user.id for one in found.values()]
    held = role_rows.of_each_user(work.db, ids)
    permitted = rows.permissions_of_each(work.db, ids)
    memberships = _memberships_of_each(work, ids)
    for key, one in found.items():
        values: dict[str, Any] = {name: getattr(one.user, name) for name in USER_FIELDS}
        by_audience: dict[str, list[str]] = {}
        for audience, scope in permitted.get(one.user.id, ()):
            if scope in defined_scopes(work, audience):
                by_audience.setdefault(audience, []).append(scope)
        values |= {
            "connection": one.connection,
            "blocked": one.user.blocked,
            "roles": tuple(sorted(role.name for role in held.get(one.user.id, ()))),
            "permissions": tuple(
                PermissionsShape(audience=audience, scopes=tuple(sorted(scopes)))
                for audience, scopes in sorted(by_audience.items())
            ),
            "organizations": memberships.get(one.user.id, ()),
        }
        yield Existing(one.user.id, one.user.revision, values, one.user, key=key)


def _found(work: Work, keys: Sequence[str]) -> dict[str, _Found]:
    """By the key as it was named; nobody twice."""
    names = _connection_names(work)
    wanted = {key: key.rpartition(" ") for key in keys}
    identifiers = {identifier for _, _, identifier in wanted.values()}
    known = new_users.find_by_identifiers(work.db, tuple(names), tuple(identifiers))
    by_email = {(names[one.connection_id], normalize_email(one.email or "")): one for one in known}
    by_name = {
        (names[one.connection_id], normalize_email(one.username or "")): one for one in known
    }
    found: dict[str, _Found] = {}
    taken: set[str] = set()
    for key, (connection, _, identifier) in wanted.items():
        place = (connection, normalize_email(identifier))
        user = by_email.get(place) or by_name.get(place)
        if user is not None and user.id not in taken:
            taken.add(user.id)
            found[key] = _Found(user, connection)
    return found


def _memberships_of_each(
    work: Work, user_ids: Sequence[str]
) -> dict[str, tuple[MembershipShape, ...]]:
    memberships = members.of_each_user(work.db, user_ids)
    ids = [one.member_id for each in memberships.values() for one in each]
    held = members.roles_of_each(work.db, ids) if ids else {}
    return {
        user_id: tuple(
            MembershipShape(
                organization=one.organization,
                roles=tuple(sorted(role.name for role in held.get(one.member_id, ()))),
            )
            for one in sorted(each, key=lambda one: one.organization)
        )
        for user_id, each in memberships.items()
    }


def settle(noun: Noun, current: Existing | None, given: Values) -> dict[str, Any]:
    after = base.settle(noun, current, given)
    for name in _METADATA:
        after[name] = merged({}, after[name], name)
    return after


def create(work: Work, given: Values) -> Done:
    settings = {name: value for name, value in given.items() if name in USER_FIELDS}
    blocked = bool(given.get("blocked"))
    made = users.create(work.db, NewUser(given["connection"], settings, blocked=blocked))
    change_access(work, made.id, {}, _access(given))
    return Done(made.id)


def update(work: Work, current: Existing, given: Values) -> Done:
    settings = {name: value for name, value in given.items() if name in USER_FIELDS}
    for name in _METADATA:
        if settings.get(name) is not None:
            settings[name] = dict.fromkeys(current.values[name]) | settings[name]
    users.update(work.db, Patch(current.id, settings, current.revision))
    blocked = bool(given.get("blocked"))
    if "blocked" in given and blocked != current.values["blocked"]:
        users.set_blocked(work.db, Patch(current.id), blocked=blocked)
    change_access(work, current.id, current.values, _access(given))
    return Done(current.id)


def _access(given: Values) -> dict[str, Any]:
    return checked(FIELDS, {name: given[name] for name in _ACCESS if name in given})


def delete(work: Work, current: Existing) -> object:
    return users.delete(work.db, Patch(current.id, expected_revision=current.revision))
