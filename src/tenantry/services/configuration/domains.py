"""Custom domains in a document: registered by it, but verified by their own records alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tenantry.rules.custom_domains import CUSTOM_DOMAIN_FIELDS, agreeing
from tenantry.rules.metadata import merged
from tenantry.services import custom_domains
from tenantry.services.commands import Patch
from tenantry.services.configuration import noun as base
from tenantry.services.configuration.listing import everything
from tenantry.services.configuration.noun import Done, Existing, Noun, Values, Work
from tenantry.store import custom_domains as rows

_METADATA = "domain_metadata"


def load(work: Work) -> Iterable[Existing]:
    for domain in everything(work.db, rows.page):
        values = {name: getattr(domain, name) for name in CUSTOM_DOMAIN_FIELDS}
        yield Existing(domain.id, domain.revision, values, domain)


def settle(noun: Noun, current: Existing | None, given: Values) -> dict[str, Any]:
    after = agreeing(base.settle(noun, current, given))
    after[_METADATA] = merged({}, after[_METADATA], _METADATA)
    return after


def create(work: Work, given: Values) -> Done:
    return Done(custom_domains.create(work.db, work.addresses, given).id)


def update(work: Work, current: Existing, given: Values) -> Done:
    settings = dict(given)
    if settings.get(_METADATA) is not None:
        settings[_METADATA] = dict.fromkeys(current.facts.domain_metadata) | settings[_METADATA]
    custom_domains.update(work.db, Patch(current.id, settings, current.revision))
    return Done(current.id)


def delete(work: Work, current: Existing) -> object:
    return custom_domains.delete(work.db, Patch(current.id, expected_revision=current.revision))
