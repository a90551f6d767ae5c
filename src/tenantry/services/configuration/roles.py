"""Roles in a document, with what they permit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import RoleFacts
from tenantry.rules.fields import Field, clean_text
from tenantry.rules.nouns import MAX_SCOPES, ROLE_FIELDS, scope_token
from tenantry.services import roles
from tenantry.services.commands import Patch, Permissions
from tenantry.services.configuration import noun as base
from tenantry.services.configuration.audiences import defined_scopes
from tenantry.services.configuration.listing import everything
from tenantry.services.configuration.noun import Done, Existing, Noun, Values, Work
from tenantry.store import roles as rows


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionsShape:
    """What a role permits at one API."""

    audience: str
    scopes: tuple[str, ...]


def permissions(value: Iterable[PermissionsShape], path: tuple[str, ...]) -> Any:
    """Each API once and in order, so that two spellings of the same are the same."""
    found: dict[str, tuple[str, ...]] = {}
    for index, one in enumerate(value):
        place = (*path, str(index))
        clean_text(one.audience, (*place, "audience"), 600, 1)
        if one.audience in found:
            raise DomainError(ErrorCode.INVALID, "The API is listed twice.", *place, "audience")
        for number, scope in enumerate(one.scopes):
            scope_token(scope, (*place, "scopes", str(number)))
        found[one.audience] = tuple(sorted(set(one.scopes)))
    if sum(len(scopes) for scopes in found.values()) > MAX_SCOPES:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_SCOPES} permissions.", *path)
    return tuple(
        PermissionsShape(audience=audience, scopes=scopes)
        for audience, scopes in sorted(found.items())
        if scopes
    )


FIELDS: Mapping[str, Field] = {**ROLE_FIELDS, "permissions": Field(permissions, ())}
SHAPES: Mapping[str, Any] = {"permissions": tuple[PermissionsShape, ...]}


def load(work: Work) -> Iterable[Existing]:
    """Permissions that the API has no more count for nothing, and are left out."""
    permitted = rows.permissions_of_all(work.db)
    for role in everything(work.db, rows.page):
        by_audience: dict[str, list[str]] = {}
        for audience, scope in permitted.get(role.id, ()):
            if scope in defined_scopes(work, audience):
                by_audience.setdefault(audience, []).append(scope)
        values = {
            "name": role.name,
            "description": role.description,
            "permissions": tuple(
                PermissionsShape(audience=audience, scopes=tuple(sorted(scopes)))
                for audience, scopes in sorted(by_audience.items())
            ),
        }
        yield Existing(role.id, role.revision, values, role)


def settle(noun: Noun, current: Existing | None, given: Values) -> dict[str, Any]:
    return base.settle(noun, current, given)


def create(work: Work, given: Values) -> Done:
    settings = {name: value for name, value in given.items() if name != "permissions"}
    made = roles.create(work.db, settings)
    _permit(work, made, (), given.get("permissions") or ())
    return Done(made.id)


def update(work: Work, current: Existing, given: Values) -> Done:
    settings = {name: value for name, value in given.items() if name != "permissions"}
    if any(current.values[name] != value for name, value in settings.items()):
        roles.update(work.db, Patch(current.id, settings, current.revision))
    if "permissions" in given:
        _permit(work, current.facts, current.values["permissions"], given["permissions"] or ())
    return Done(current.id)


def delete(work: Work, current: Existing) -> object:
    return roles.delete(work.db, Patch(current.id, expected_revision=current.revision))


def _permit(
    work: Work,
    role: RoleFacts,
    before: Iterable[PermissionsShape],
    after: Iterable[PermissionsShape],
) -> None:
    """Takes what is no longer listed, and then gives what was not there."""
    held = {one.audience: set(one.scopes) for one in before}
    wanted = {one.audience: set(one.scopes) for one in after}
    for audience, scopes in held.items():
        gone = sorted(scopes - wanted.get(audience, set()))
        if gone:
            given = Permissions(audience, tuple(gone))
            roles.remove_permissions(work.db, Patch(role.id), given)
    for index, (audience, scopes) in enumerate(wanted.items()):
        new = sorted(scopes - held.get(audience, set()))
        if not new:
            continue
        try:
            roles.add_permissions(
                work.db, work.addresses, Patch(role.id), Permissions(audience, tuple(new))
            )
        except DomainError as refusal:
            place = ("permissions", str(index), *refusal.field[:1])
            raise DomainError(refusal.code, refusal.message, *place) from None
