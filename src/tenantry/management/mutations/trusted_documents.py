"""Trusted documents: registering and removing."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.trusted_documents import TrustedDocumentFacts
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.mutations.inputs import SENT, ExistingObject, patch, sent
from tenantry.management.mutations.payloads import Payload, deleted_field, object_field
from tenantry.management.mutations.unit import run
from tenantry.management.trusting import refusal_of
from tenantry.management.types.common import described, setting
from tenantry.management.types.trusted_document import ABOUT, TrustedDocument
from tenantry.services import trusted_documents


@strawberry.input(description="A document to trust.")
class TrustedDocumentCreateInput:
    document: str = described(ABOUT, "document")
    name: str | None = setting(ABOUT, "name")


@strawberry.input(description="A document to trust no more.")
class TrustedDocumentDeleteInput(ExistingObject):
    pass


@strawberry.type(description="The answer to `trustedDocumentCreate`.")
class TrustedDocumentCreatePayload(Payload):
    trusted_document: TrustedDocument | None = object_field("trusted document")


@strawberry.type(description="The answer to `trustedDocumentDelete`.")
class TrustedDocumentDeletePayload(Payload):
    deleted_id: strawberry.ID | None = deleted_field("trusted document")


@strawberry.type
class TrustedDocumentMutations:
    @field(
        "Registers a document, so that requests may name it and, where the tenant's "
        "`trustedDocumentsOnly` is true, run it at all. It runs even then.",
        "update:tenant_settings",
    )
    async def trusted_document_create(
        self, info: Info, input: Annotated[TrustedDocumentCreateInput, SENT]
    ) -> TrustedDocumentCreatePayload | None:
        outcome = await run(
            info,
            TrustedDocumentFacts,
            trusted_documents.create,
            sent(input.name),
            input.document,
            refusal_of(info, input.document),
        )
        made = outcome.value
        return TrustedDocumentCreatePayload(
            trusted_document=TrustedDocument.of(made, info.context.tenant_id) if made else None,
            errors=outcome.errors,
        )

    @field(
        "Removes a trusted document. It runs even where `trustedDocumentsOnly` is true.",
        "update:tenant_settings",
    )
    async def trusted_document_delete(
        self, info: Info, input: Annotated[TrustedDocumentDeleteInput, SENT]
    ) -> TrustedDocumentDeletePayload | None:
        row_id = local_id("TrustedDocument", info.context.tenant_id, input.id)
        outcome = await run(info, str, trusted_documents.delete, patch(row_id, input))
        return TrustedDocumentDeletePayload(
            deleted_id=input.id if outcome.value else None, errors=outcome.errors
        )
