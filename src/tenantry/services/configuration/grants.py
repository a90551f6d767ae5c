"""Client grants in a document: they name applications by their external ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tenantry.core.errors import not_found
from tenantry.rules.client_metadata import external_id
from tenantry.rules.fields import Field
from tenantry.rules.nouns import CLIENT_GRANT_FIELDS
from tenantry.services import client_grants
from tenantry.services.commands import Patch
from tenantry.services.configuration.applications import every_grant, managed
from tenantry.services.configuration.audiences import defined_scopes
from tenantry.services.configuration.noun import Done, Existing, Values, Work
from tenantry.store import applications

FIELDS: Mapping[str, Field] = {
    "application": Field(external_id),
    **{name: field for name, field in CLIENT_GRANT_FIELDS.items() if name != "client_id"},
}
SHAPES: Mapping[str, Any] = {"application": str}


def load(work: Work) -> Iterable[Existing]:
    """Scopes that the API has no more count for nothing, and are left out."""
    names = {application.client_id: application.external_id for application in managed(work)}
    for grant in every_grant(work):
        if grant.client_id in names:
            defined = defined_scopes(work, grant.audience)
            values = {
                "application": names[grant.client_id],
                **{name: getattr(grant, name) for name in FIELDS if name != "application"},
                "scopes": tuple(scope for scope in grant.scopes if scope in defined),
            }
            yield Existing(grant.id, grant.revision, values, grant)


def create(work: Work, given: Values) -> Done:
    settings = dict(given)
    found = applications.find_by_external_id(work.db, settings.pop("application"))
    if found is None or found.is_system or found.is_dynamically_registered:
        raise not_found("application", "application")
    made = client_grants.create(work.db, work.addresses, settings | {"client_id": found.client_id})
    return Done(made.id)


def update(work: Work, current: Existing, given: Values) -> Done:
    settings = {name: given[name] for name in ("scopes", "allow_all_scopes") if name in given}
    client_grants.update(work.db, work.addresses, Patch(current.id, settings, current.revision))
    return Done(current.id)


def delete(work: Work, current: Existing) -> object:
    return client_grants.delete(work.db, Patch(current.id, expected_revision=current.revision))
