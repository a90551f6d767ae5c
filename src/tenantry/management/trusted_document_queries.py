"""What can be read of trusted documents."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.filters import TrustedDocumentFilter, text
from tenantry.management.listing import ORDER, filter_argument, listed
from tenantry.management.orders import TrustedDocumentOrder
from tenantry.management.types.trusted_document import TrustedDocument
from tenantry.store import trusted_documents


@strawberry.type
class TrustedDocumentQueries:
    @field(
        "The documents that requests may name instead of sending them.",
        "read:tenant_settings",
    )
    async def trusted_documents(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[
            TrustedDocumentFilter | None, filter_argument("trusted documents")
        ] = None,
        order_by: Annotated[TrustedDocumentOrder, ORDER] = TrustedDocumentOrder.CREATED_AT_ASC,
    ) -> ListOf[TrustedDocument] | None:
        chosen, tenant_id = criteria or TrustedDocumentFilter(), info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            trusted_documents.page,
            trusted_documents.count,
            lambda facts: TrustedDocument.of(facts, tenant_id),
            name_contains=text(chosen.name_contains),
        )
