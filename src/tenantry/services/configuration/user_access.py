"""What a user of a document may do: roles, permissions of their own, organizations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.services import organization_members, roles
from tenantry.services.commands import Patch, Permissions
from tenantry.services.configuration.noun import Values, Work
from tenantry.services.configuration.roles import PermissionsShape
from tenantry.store import organizations
from tenantry.store import roles as role_rows

Ids = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipShape:
    """An organization by its name, and the names of the roles that the user has there."""

    organization: str
    roles: tuple[str, ...] = ()


def change_access(work: Work, user_id: str, before: Values, after: Values) -> None:
    """Each list that is in `after` is replaced as a whole: taken first, and then given."""
    db, user = work.db, Patch(user_id)
    if "roles" in after:
        with _at("roles"):
            _change_roles(
                work,
                (before.get("roles", ()), after["roles"]),
                partial(roles.take_roles, db, user),
                partial(roles.give_roles, db, user),
            )
    if "permissions" in after:
        with _at("permissions"):
            _change_permissions(work, user, before.get("permissions", ()), after["permissions"])
    if "organizations" in after:
        with _at("organizations"):
            held = before.get("organizations", ())
            _change_memberships(work, user_id, held, after["organizations"])


@contextmanager
def _at(member: str) -> Iterator[None]:
    """A refusal names the member of the document, whatever the service calls it."""
    try:
        yield
    except DomainError as refusal:
        raise DomainError(refusal.code, refusal.message, member) from None


def _change_roles(
    work: Work,
    names: tuple[Iterable[str], Iterable[str]],
    take: Callable[[Ids], object],
    give: Callable[[Ids], object],
) -> None:
    before, after = map(set, names)
    if before == after:
        return
    ids = role_rows.ids_of_names(work.db, sorted(before ^ after))
    unknown = sorted(after - before - ids.keys())
    if unknown:
        raise DomainError(ErrorCode.NOT_FOUND, f"There is no role {unknown[0]}.")
    gone, new = ([ids[name] for name in sorted(one)] for one in (before - after, after - before))
    if gone:
        take(gone)
    if new:
        give(new)


def _change_permissions(
    work: Work,
    user: Patch,
    before: Iterable[PermissionsShape],
    after: Iterable[PermissionsShape],
) -> None:
    held = {one.audience: set(one.scopes) for one in before}
    wanted = {one.audience: set(one.scopes) for one in after}
    for audience, scopes in held.items():
        gone = tuple(sorted(scopes - wanted.get(audience, set())))
        if gone:
            roles.take_permissions(work.db, user, Permissions(audience, gone))
    for audience, scopes in wanted.items():
        new = tuple(sorted(scopes - held.get(audience, set())))
        if new:
            roles.give_permissions(work.db, work.addresses, user, Permissions(audience, new))


def _change_memberships(
    work: Work,
    user_id: str,
    before: Iterable[MembershipShape],
    after: Iterable[MembershipShape],
) -> None:
    held = {one.organization: one.roles for one in before}
    wanted = {one.organization: one.roles for one in after}
    for name in (*sorted(held.keys() - wanted.keys()), *wanted):
        found = organizations.find_by_name(work.db, name)
        if found is None:
            raise DomainError(ErrorCode.NOT_FOUND, f"There is no organization {name}.")
        organization = Patch(found.id)
        if name not in wanted:
            organization_members.remove(work.db, organization, [user_id])
            continue
        if name not in held:
            organization_members.add(work.db, organization, [user_id])
        _change_roles(
            work,
            (held.get(name, ()), wanted[name]),
            partial(organization_members.take_roles, work.db, organization, user_id),
            partial(organization_members.give_roles, work.db, organization, user_id),
        )
