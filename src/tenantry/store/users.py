"""Users of a tenant, with the permissions that were given to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import UserFacts
from tenantry.rules.fields import normalize_email
from tenantry.store import pages, records, user_search
from tenantry.store.pages import Page, PageRequest
from tenantry.store.rows import to_facts
from tenantry.store.tables import connections, user_permissions, users
from tenantry.store.unit_of_work import TenantSession
from tenantry.store.user_search import MetadataValue


@dataclass(frozen=True, slots=True)
class UserFilter:
    """`email` matches the whole address, `email_prefix` its beginning; case is ignored.

    `connection` is a name. Each of `words` begins a word of the user.
    """

    email: str | None = None
    email_prefix: str | None = None
    connection_id: str | None = None
    connection: str | None = None
    blocked: bool | None = None
    user_ids: tuple[str, ...] | None = None
    words: tuple[str, ...] = ()
    metadata: tuple[MetadataValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Login:
    """What a password check needs."""

    user: UserFacts
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class Decoy:
    """A password that is checked in vain for a name that nobody has."""

    password_hash: str | None


def taken() -> DomainError:
    """Another user has a key."""
    return DomainError(
        ErrorCode.ALREADY_EXISTS,
        "The connection already has a user with this email or username.",
        "email",
    )


def with_keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """With what email and username are found by."""
    keyed = dict(values)
    if "email" in keyed:
        keyed["email_key"] = normalize_email(keyed["email"]) if keyed["email"] else None
    if "username" in keyed:
        keyed["username_key"] = keyed["username"].casefold() if keyed["username"] else None
    return keyed


def create(db: TenantSession, values: Mapping[str, Any]) -> str:
    row_id = records.create(db, users, with_keys(values), taken())
    user_search.index(db, row_id, values)
    return row_id


def find(db: TenantSession, id: str) -> UserFacts | None:
    return records.find(db, users, UserFacts, id=id)


def find_by_ids(db: TenantSession, ids: Sequence[str]) -> dict[str, UserFacts]:
    return records.find_many(db, users, UserFacts, "id", ids)


def find_logins(
    db: TenantSession, connection_ids: Sequence[str], identifier: str
) -> tuple[Login, ...]:
    """Who signs in with an email or a username, in the order of the connections."""
    rows = db.connection.execute(
        select(users).where(
            users.c.tenant_id == db.tenant_id,
            users.c.connection_id.in_(connection_ids),
            or_(
                users.c.email_key == normalize_email(identifier),
                users.c.username_key == identifier.strip().casefold(),
            ),
        )
    ).mappings()
    logins = [Login(to_facts(UserFacts, row), row["password_hash"]) for row in rows]
    return tuple(sorted(logins, key=lambda login: connection_ids.index(login.user.connection_id)))


def decoy(db: TenantSession, connection_id: str, identifier: str) -> Decoy | None:
    """The password of who would be next to such a name: of what is there at any moment, names
    without a user cost what names with one do.
    """
    row = db.connection.execute(
        select(users.c.password_hash)
        .where(
            users.c.tenant_id == db.tenant_id,
            users.c.connection_id == connection_id,
            users.c.email_key > normalize_email(identifier),
        )
        .order_by(users.c.email_key)
        .limit(1)
    ).one_or_none()
    return Decoy(row.password_hash) if row else None


def change(
    db: TenantSession,
    current: UserFacts,
    values: Mapping[str, Any],
    expected_revision: int | None = None,
) -> None:
    records.change(db, users, current, with_keys(values), expected_revision, taken())
    user_search.reindex(db, current, values)


def user_code_digest(db: TenantSession, user_id: str) -> str | None:
    """What is stored of the user's code (CIBA Core §7.1)."""
    return db.connection.execute(
        select(users.c.user_code_digest).where(
            users.c.tenant_id == db.tenant_id, users.c.id == user_id
        )
    ).scalar_one_or_none()


def set_password(db: TenantSession, user_id: str, password_hash: str) -> None:
    """Replaces the hash. Ending sessions is the caller's."""
    db.connection.execute(
        update(users)
        .where(users.c.tenant_id == db.tenant_id, users.c.id == user_id)
        .values(
            password_hash=password_hash,
            password_changed_at=db.now,
            revision=users.c.revision + 1,
            updated_at=db.now,
        )
    )


def rehash_password(db: TenantSession, user_id: str, old: str, new: str) -> None:
    """The same password under today's parameters, unless it was changed meanwhile."""
    db.connection.execute(
        update(users)
        .where(
            users.c.tenant_id == db.tenant_id,
            users.c.id == user_id,
            users.c.password_hash == old,
        )
        .values(password_hash=new)
    )


def note_login(db: TenantSession, user_id: str) -> None:
    db.connection.execute(
        update(users)
        .where(users.c.tenant_id == db.tenant_id, users.c.id == user_id)
        .values(last_login_at=db.now)
    )


def delete(db: TenantSession, current: UserFacts, expected_revision: int | None = None) -> None:
    records.remove(db, users, current, expected_revision)
    user_search.remove(db, current.id)
    db.connection.execute(
        sql_delete(user_permissions).where(
            user_permissions.c.tenant_id == db.tenant_id,
            user_permissions.c.user_id == current.id,
        )
    )


def page(db: TenantSession, criteria: UserFilter, request: PageRequest) -> Page[UserFacts]:
    return pages.fetch_page(db, users, _conditions(db, criteria, request), request, UserFacts)


def count(db: TenantSession, criteria: UserFilter) -> int:
    return pages.count(db, users, _conditions(db, criteria))


def _conditions(
    db: TenantSession, criteria: UserFilter, request: PageRequest | None = None
) -> list[Any]:
    conditions: list[Any] = [users.c.tenant_id == db.tenant_id]
    if criteria.email:
        conditions.append(users.c.email_key == normalize_email(criteria.email))
    if criteria.email_prefix:
        prefix = normalize_email(criteria.email_prefix)
        conditions.append(user_search.beginning(users.c.email_key, prefix))
    if criteria.connection_id:
        conditions.append(users.c.connection_id == criteria.connection_id)
    if criteria.connection:
        conditions.append(
            users.c.connection_id.in_(
                select(connections.c.id).where(
                    connections.c.tenant_id == db.tenant_id,
                    connections.c.name == criteria.connection,
                )
            )
        )
    if criteria.blocked is not None:
        conditions.append(users.c.blocked.is_(criteria.blocked))
    if criteria.user_ids is not None:
        conditions.append(users.c.id.in_(criteria.user_ids))
    alone = request if len(conditions) == 1 and request and request.sort == "id" else None
    conditions += user_search.matching(db, criteria.words, criteria.metadata, alone)
    return conditions


def give_permissions(db: TenantSession, user_id: str, audience: str, scopes: Sequence[str]) -> None:
    """Adds permissions that the user does not have yet."""
    if not scopes:
        return
    insert = sqlite.insert if db.is_sqlite else postgresql.insert
    db.connection.execute(
        insert(user_permissions).on_conflict_do_nothing(),
        [
            {
                "tenant_id": db.tenant_id,
                "user_id": user_id,
                "audience": audience,
                "scope": scope,
            }
            for scope in scopes
        ],
    )


def take_permissions(db: TenantSession, user_id: str, audience: str, scopes: Sequence[str]) -> None:
    db.connection.execute(
        sql_delete(user_permissions).where(
            user_permissions.c.tenant_id == db.tenant_id,
            user_permissions.c.user_id == user_id,
            user_permissions.c.audience == audience,
            user_permissions.c.scope.in_(scopes),
        )
    )


def delete_permissions_for_audience(db: TenantSession, audience: str) -> None:
    db.connection.execute(
        sql_delete(user_permissions).where(
            user_permissions.c.tenant_id == db.tenant_id,
            user_permissions.c.audience == audience,
        )
    )


def permissions_of_each(
    db: TenantSession, user_ids: Sequence[str]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """The direct permissions of many users, (audience, scope) in order, by one statement."""
    rows = db.connection.execute(
        select(user_permissions.c.user_id, user_permissions.c.audience, user_permissions.c.scope)
        .where(
            user_permissions.c.tenant_id == db.tenant_id,
            user_permissions.c.user_id.in_(user_ids),
        )
        .order_by(user_permissions.c.audience, user_permissions.c.scope)
    )
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for user_id, audience, scope in rows:
        found[user_id] = (*found.get(user_id, ()), (audience, scope))
    return found


def permissions(db: TenantSession, user_id: str, *audiences: str) -> tuple[str, ...]:
    """The permissions that a user was given directly at any of these audiences."""
    rows = db.connection.execute(
        select(user_permissions.c.scope)
        .where(
            user_permissions.c.tenant_id == db.tenant_id,
            user_permissions.c.user_id == user_id,
            user_permissions.c.audience.in_(audiences),
        )
        .distinct()
        .order_by(user_permissions.c.scope)
    )
    return tuple(rows.scalars())
