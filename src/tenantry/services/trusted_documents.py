"""Trusted documents: registering, removing, and finding the one that a request names."""

from __future__ import annotations

from tenantry.core.errors import DomainError, not_found
from tenantry.core.trusted_documents import TrustedDocumentFacts, document_digest
from tenantry.rules.fields import Field, with_defaults
from tenantry.rules.fields import text as text_field
from tenantry.services.changes import record_change
from tenantry.services.commands import Patch
from tenantry.services.runtime import Runtime
from tenantry.store import trusted_documents
from tenantry.store.unit_of_work import TenantSession

FIELDS = {"name": Field(text_field(100), "")}


def create(
    db: TenantSession, name: str | None, document: str, refusal: DomainError | None
) -> TrustedDocumentFacts:
    """The document is kept as it was sent, for its digest. `refusal`: why it could never run."""
    if refusal is not None:
        raise refusal
    values = with_defaults(FIELDS, {"name": name})
    values |= {"document": document, "digest": document_digest(document)}
    row_id = trusted_documents.create(db, values)
    record_change(db, "trusted_document.created", ("TrustedDocument", row_id), after=values)
    return _require(db, row_id)


def delete(db: TenantSession, patch: Patch) -> str:
    """It runs by its digest no more. Returns the id."""
    current = _require(db, patch.id)
    trusted_documents.delete(db, current, patch.expected_revision)
    record_change(db, "trusted_document.deleted", ("TrustedDocument", current.id))
    return current.id


async def trusted_text(runtime: Runtime, tenant_id: str, digest: str) -> str | None:
    """The document of a digest, from memory where nothing has changed."""
    found = await runtime.configuration.get(tenant_id, trusted_documents.find_by_digest, digest)
    return found.document if found else None


def _require(db: TenantSession, id: str) -> TrustedDocumentFacts:
    found = trusted_documents.find(db, id)
    if found is None:
        raise not_found("trusted document")
    return found
