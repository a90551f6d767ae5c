"""Applications in a document: what the tenant's own people have registered.

Those of the server itself, those that registered themselves, and at the root the operators of the
whole installation stay out of documents, and untouched by them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tenantry.core.credentials import CredentialUse
from tenantry.core.facts import ApplicationFacts, ClientGrantFacts
from tenantry.core.ids import new_token
from tenantry.rules.client_keys import needs_readable_secret
from tenantry.rules.client_metadata import (
    APPLICATION_FIELDS,
    changed_application,
    external_id,
    new_application,
)
from tenantry.rules.fields import Field, list_of, text
from tenantry.services import applications
from tenantry.services.commands import ApplicationPatch, NewApplication, Patch
from tenantry.services.configuration import credentials
from tenantry.services.configuration.listing import everything
from tenantry.services.configuration.noun import Done, Existing, Noun, Values, Work
from tenantry.services.management_api import EVERY_MANAGEMENT_API
from tenantry.store import applications as rows
from tenantry.store import client_grants

FIELDS: Mapping[str, Field] = {
    "external_id": Field(external_id),
    **{name: field for name, field in APPLICATION_FIELDS.items() if name != "external_id"},
    **credentials.FIELDS,
    "connections": Field(list_of(text(128, 1), 1000), ()),
}
SHAPES: Mapping[str, Any] = {
    "connections": tuple[str, ...],
    "jwks": dict[str, Any],
    **credentials.SHAPES,
}
_SECTOR = ("sector_identifier_uri", "redirect_uris")


class SectorNeeded(Exception):
    """A document that must be fetched before the change can be made."""

    def __init__(self, external_id: str, values: Values) -> None:
        super().__init__(external_id)
        self.external_id = external_id
        self.values = values


def every_grant(work: Work) -> tuple[ClientGrantFacts, ...]:
    if "grants" not in work.found:
        work.found["grants"] = everything(
            work.db,
            lambda db, request: client_grants.page(db, client_grants.ClientGrantFilter(), request),
        )
    found: tuple[ClientGrantFacts, ...] = work.found["grants"]
    return found


def managed(work: Work) -> tuple[ApplicationFacts, ...]:
    if "applications" not in work.found:
        operators = {
            grant.client_id for grant in every_grant(work) if grant.audience == EVERY_MANAGEMENT_API
        }
        work.found["applications"] = tuple(
            application
            for application in everything(work.db, rows.page)
            if not application.is_system
            and not application.is_dynamically_registered
            and application.client_id not in operators
        )
    found: tuple[ApplicationFacts, ...] = work.found["applications"]
    return found


def load(work: Work) -> Iterable[Existing]:
    names = rows.connection_names(work.db)
    keys = credentials.of_each(work, managed(work))
    for application in managed(work):
        values = {name: getattr(application, name) for name in APPLICATION_FIELDS}
        if application.jwks is not None:
            values["jwks"] = json.loads(application.jwks)
        values["connections"] = names.get(application.id, ())
        values |= keys.get(application.id, {})
        yield Existing(application.id, application.revision, values, application)


def settle(noun: Noun, current: Existing | None, given: Values) -> dict[str, Any]:
    lists = credentials.lists_of(given)
    settings = {name: value for name, value in given.items() if name != "connections"}
    after = _changed(current, {**settings, **lists})
    if after["jwks"] is not None:
        after["jwks"] = json.loads(after["jwks"])
    for use in CredentialUse:
        held = current.values[use] if current is not None else ()
        after[use.value] = lists.get(use.value, held)
    if "connections" in given:
        check = noun.fields["connections"].check
        after["connections"] = tuple(sorted(check(given["connections"] or (), ("connections",))))
    elif current is not None:
        after["connections"] = current.values["connections"]
    return after


def _changed(current: Existing | None, settings: Values) -> dict[str, Any]:
    """By the rules of applications, to which the `kid` of a key is as good as its id."""
    command = dict(settings)
    for use in CredentialUse:
        if settings.get(use) is not None:
            command[use.value] = tuple(map(credentials.kid, settings[use]))
    with credentials.in_their_places():
        if current is None:
            return new_application(command)
        before = {name: getattr(current.facts, name) for name in APPLICATION_FIELDS}
        for use in CredentialUse:
            before[use.value] = tuple(map(credentials.kid, current.values[use]))
        if command.get("application_metadata") is not None:
            before["application_metadata"] = {}
        return changed_application(before, command)


def secret_of(current: Existing | None, after: Values) -> str | None:
    """A new secret where none fits: the stored one may be hashed where it must sign."""
    if not after["token_endpoint_auth_method"].uses_secret:
        return None
    if current is not None and current.facts.secret_digest is not None:
        hashed_only = current.facts.secret_envelope is None
        return "clientSecret" if needs_readable_secret(after) and hashed_only else None
    return "clientSecret"


def create(work: Work, given: Values) -> Done:
    settings, connections = _divided(given)
    for use in CredentialUse:
        settings.pop(use.value, None)
    command = NewApplication(
        settings,
        connections=connections,
        sector=_sector(work, {}, settings),
        credentials=credentials.uploads(given),
    )
    with credentials.in_their_places():
        made = applications.create(work.db, command)
    return Done(made.application.id, made.client_secret, made.application.client_id)


def update(work: Work, current: Existing, given: Values) -> Done:
    settings, connections = _divided(given)
    changed = _changed(current, {**settings, **credentials.lists_of(given)})
    has_secret = current.facts.secret_digest is not None
    secret = new_token() if has_secret and secret_of(current, changed) else None
    if settings.get("application_metadata") is not None:
        gone = dict.fromkeys(current.facts.application_metadata)
        settings["application_metadata"] = gone | settings["application_metadata"]
    before = {name: getattr(current.facts, name) for name in _SECTOR}
    sector = _sector(work, before, {**current.values, **settings})
    settings |= credentials.ids_for(work, current.facts, given)
    command = ApplicationPatch(
        Patch(current.id, settings, current.revision),
        client_secret=secret,
        connections=connections,
        sector=sector,
    )
    with credentials.in_their_places():
        made = applications.update(work.db, command)
    return Done(current.id, secret or made.client_secret, made.application.client_id)


def delete(work: Work, current: Existing) -> object:
    return applications.delete(work.db, Patch(current.id, expected_revision=current.revision))


def _divided(given: Values) -> tuple[dict[str, Any], tuple[str, ...] | None]:
    settings = dict(given)
    connections = settings.pop("connections", None)
    return settings, (tuple(connections or ()) if "connections" in given else None)


def _sector(work: Work, before: Values, after: Values) -> Any:
    uri = after.get("sector_identifier_uri")
    redirect_uris = tuple(after.get("redirect_uris") or ())
    unchanged = (before.get("sector_identifier_uri"), before.get("redirect_uris")) == (
        uri,
        redirect_uris,
    )
    if uri is None or unchanged:
        return None
    name = after["external_id"]
    if name not in work.sectors:
        raise SectorNeeded(name, {"sector_identifier_uri": uri, "redirect_uris": redirect_uris})
    return work.sectors[name]
