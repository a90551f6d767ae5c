"""Client grants in a document: they name applications by their external ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tenantry.core.errors import not_found
from tenantry.rules.client_metadata import external_id
from tenantry.rules.fields import Field, list_of
from tenantry.rules.nouns import CLIENT_GRANT_FIELDS
from tenantry.rules.organizations import organization_name
from tenantry.services import client_grants
from tenantry.services import organizations as services
from tenantry.services.commands import Patch
from tenantry.services.configuration.apis import every_api
from tenantry.services.configuration.applications import every_grant, managed
from tenantry.services.configuration.audiences import defined_scopes
from tenantry.services.configuration.noun import Done, Existing, Values, Work
from tenantry.store import applications, organization_grants, organizations

_names = list_of(organization_name, 10_000)


def _organizations(value: Any, path: tuple[str, ...]) -> tuple[str, ...]:
    """In order, so that two spellings of the same are the same."""
    return tuple(sorted(_names(value, path)))


FIELDS: Mapping[str, Field] = {
    "application": Field(external_id),
    **{name: field for name, field in CLIENT_GRANT_FIELDS.items() if name != "client_id"},
    "organizations": Field(_organizations, ()),
}
SHAPES: Mapping[str, Any] = {"application": str, "organizations": tuple[str, ...]}
_APART = {"application", "organizations"}


def load(work: Work) -> Iterable[Existing]:
    """Scopes and types that the API has no more count for nothing, and are left out."""
    names = {application.client_id: application.external_id for application in managed(work)}
    types = {api.identifier: api.detail_types for api in every_api(work)}
    covered = organization_grants.names_of_all(work.db)
    for grant in every_grant(work):
        if grant.client_id in names:
            defined = defined_scopes(work, grant.audience)
            values = {
                "application": names[grant.client_id],
                **{name: getattr(grant, name) for name in FIELDS if name not in _APART},
                "organizations": covered.get(grant.id, ()),
                "scopes": tuple(scope for scope in grant.scopes if scope in defined),
                "authorization_details_types": tuple(
                    name
                    for name in grant.authorization_details_types
                    if name in types.get(grant.audience, ())
                ),
            }
            yield Existing(grant.id, grant.revision, values, grant)


def create(work: Work, given: Values) -> Done:
    settings = {name: value for name, value in given.items() if name not in _APART}
    found = applications.find_by_external_id(work.db, given["application"])
    if found is None or found.is_system or found.is_dynamically_registered:
        raise not_found("application", "application")
    made = client_grants.create(work.db, work.addresses, settings | {"client_id": found.client_id})
    _cover(work, made.id, (), given.get("organizations") or ())
    return Done(made.id)


def update(work: Work, current: Existing, given: Values) -> Done:
    settings = {name: value for name, value in given.items() if name not in _APART}
    client_grants.update(work.db, work.addresses, Patch(current.id, settings, current.revision))
    if "organizations" in given:
        _cover(work, current.id, current.values["organizations"], given["organizations"] or ())
    return Done(current.id)


def delete(work: Work, current: Existing) -> object:
    return client_grants.delete(work.db, Patch(current.id, expected_revision=current.revision))


def _cover(work: Work, id: str, before: Sequence[str], after: Sequence[str]) -> None:
    """What the grant covers; services take a few at once."""
    gone, new = sorted(set(before) - set(after)), [one for one in after if one not in set(before)]
    known: dict[str, str] = {}
    for name in (*gone, *new):
        found = organizations.find_by_name(work.db, name)
        if found is not None:
            known[name] = found.id
        elif name in new:
            raise not_found("organization", "organizations", str(after.index(name)))
    for names, function in ((gone, services.uncover), (new, services.cover)):
        ids = [known[name] for name in names if name in known]
        for start in range(0, len(ids), services.MAX_AT_ONCE):
            function(work.db, Patch(id), ids[start : start + services.MAX_AT_ONCE])
