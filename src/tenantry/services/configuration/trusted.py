"""Trusted documents in a document: found by their digest, and never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.trusted_documents import document_digest
from tenantry.rules.fields import Field, encodable
from tenantry.services import trusted_documents
from tenantry.services.commands import Patch
from tenantry.services.configuration.listing import everything
from tenantry.services.configuration.noun import Done, Existing, Noun, Values, Work
from tenantry.store import trusted_documents as rows


def _kept(value: Any, path: tuple[str, ...]) -> str:
    """Byte for byte: its digest is its name."""
    text: str = value
    if not encodable(text):
        raise DomainError(ErrorCode.INVALID, "Must be text that can be stored.", *path)
    return text


FIELDS: Mapping[str, Field] = {"document": Field(_kept), **trusted_documents.FIELDS}


def name_of(noun: Noun, values: Values) -> str:
    return f"sha256:{document_digest(values['document'])}"


def load(work: Work) -> Iterable[Existing]:
    for found in everything(work.db, rows.page):
        values = {name: getattr(found, name) for name in FIELDS}
        yield Existing(found.id, found.revision, values, found)


def create(work: Work, given: Values) -> Done:
    document = given["document"]
    refusal = work.refusal_of(document)
    return Done(trusted_documents.create(work.db, given.get("name"), document, refusal).id)


def update(work: Work, current: Existing, given: Values) -> Done:
    """Both settings are fixed, so that there is nothing to write."""
    return Done(current.id)


def delete(work: Work, current: Existing) -> object:
    return trusted_documents.delete(work.db, Patch(current.id, expected_revision=current.revision))
