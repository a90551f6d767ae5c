"""Trusted documents as the schema shows them."""

from __future__ import annotations

from collections.abc import Mapping

import strawberry

from tenantry.core.trusted_documents import TrustedDocumentFacts
from tenantry.management.ids import global_id
from tenantry.management.types.common import StoredObject, described, publish

ABOUT: Mapping[str, str] = {
    "name": "What people call it. At most 100 characters. Default empty.",
    "document": (
        "The GraphQL document, valid for this schema, kept byte for byte. At most 65536 bytes; "
        "never changes."
    ),
    "document_id": (
        "What a request sends as `documentId` instead of the document: `sha256:` and the SHA-256 "
        "of its UTF-8 in lower-case hexadecimal."
    ),
}


@strawberry.type(
    description=(
        "A GraphQL document that requests may name instead of sending it. Where the tenant's "
        "`trustedDocumentsOnly` is true, no other document runs."
    )
)
class TrustedDocument(StoredObject):
    name: str = described(ABOUT, "name")
    document: str = described(ABOUT, "document")
    document_id: str = described(ABOUT, "document_id")

    @classmethod
    def of(cls, facts: TrustedDocumentFacts, tenant_id: str) -> TrustedDocument:
        id_ = global_id("TrustedDocument", tenant_id, facts.id)
        return publish(cls, facts, id=id_, document_id=f"sha256:{facts.digest}")
