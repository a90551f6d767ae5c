"""Organizations in a document, with the connections that sign in to them; never their members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.rules.fields import Field, clean_text
from tenantry.rules.metadata import merged_pairs
from tenantry.rules.organizations import ORGANIZATION_FIELDS
from tenantry.services import organizations
from tenantry.services.commands import Patch
from tenantry.services.configuration import noun as base
from tenantry.services.configuration.listing import everything
from tenantry.services.configuration.noun import Done, Existing, Noun, Values, Work
from tenantry.services.organizations import MAX_CONNECTIONS
from tenantry.store import connections as connection_rows
from tenantry.store import organizations as rows

_METADATA = "organization_metadata"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationConnectionShape:
    connection: str
    assign_membership_on_login: bool = False


def _connections(value: Iterable[OrganizationConnectionShape], path: tuple[str, ...]) -> Any:
    found: dict[str, OrganizationConnectionShape] = {}
    for index, one in enumerate(value):
        place = (*path, str(index), "connection")
        clean_text(one.connection, place, 128, 1)
        if one.connection in found:
            raise DomainError(ErrorCode.INVALID, "The connection is listed twice.", *place)
        found[one.connection] = one
    if len(found) > MAX_CONNECTIONS:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_CONNECTIONS} connections.", *path)
    return tuple(found[name] for name in sorted(found))


FIELDS: Mapping[str, Field] = {**ORGANIZATION_FIELDS, "connections": Field(_connections, ())}
SHAPES: Mapping[str, Any] = {"connections": tuple[OrganizationConnectionShape, ...]}


def load(work: Work) -> Iterable[Existing]:
    found = everything(work.db, rows.page)
    names = {one.id: one.name for one in everything(work.db, connection_rows.page)}
    enabled = rows.connections_of_each(work.db, [one.id for one in found])
    for organization in found:
        shapes = [
            OrganizationConnectionShape(
                connection=names[one.connection_id],
                assign_membership_on_login=one.assign_membership_on_login,
            )
            for one in enabled.get(organization.id, ())
            if one.connection_id in names
        ]
        values = {name: getattr(organization, name) for name in ORGANIZATION_FIELDS}
        values["connections"] = tuple(sorted(shapes, key=lambda one: one.connection))
        yield Existing(organization.id, organization.revision, values, organization)


def settle(noun: Noun, current: Existing | None, given: Values) -> dict[str, Any]:
    after = base.settle(noun, current, given)
    after[_METADATA] = merged_pairs({}, after[_METADATA], _METADATA)
    return after


def create(work: Work, given: Values) -> Done:
    settings = {name: value for name, value in given.items() if name != "connections"}
    made = organizations.create(work.db, settings)
    _connect(work, made.id, (), given.get("connections") or ())
    return Done(made.id)


def update(work: Work, current: Existing, given: Values) -> Done:
    settings = {name: value for name, value in given.items() if name != "connections"}
    if settings.get(_METADATA) is not None:
        gone = dict.fromkeys(current.facts.organization_metadata)
        settings[_METADATA] = gone | settings[_METADATA]
    organizations.update(work.db, Patch(current.id, settings, current.revision))
    if "connections" in given:
        _connect(work, current.id, current.values["connections"], given["connections"] or ())
    return Done(current.id)


def delete(work: Work, current: Existing) -> object:
    return organizations.delete(work.db, Patch(current.id, expected_revision=current.revision))


def _connect(
    work: Work,
    id: str,
    before: Iterable[OrganizationConnectionShape],
    after: Iterable[OrganizationConnectionShape],
) -> None:
    held, wanted = set(before), set(after)
    kept = {one.connection for one in wanted}
    for one in sorted(held - wanted, key=lambda one: one.connection):
        if one.connection not in kept:
            organizations.remove_connection(work.db, Patch(id), one.connection)
    for index, one in enumerate(after):
        if one in held:
            continue
        try:
            organizations.set_connection(
                work.db,
                Patch(id),
                one.connection,
                assign_membership_on_login=one.assign_membership_on_login,
            )
        except DomainError as refusal:
            place = ("connections", str(index), *refusal.field)
            raise DomainError(refusal.code, refusal.message, *place) from None
