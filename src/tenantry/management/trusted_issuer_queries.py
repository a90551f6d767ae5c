"""What can be read of trusted issuers."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.filters import TrustedIssuerFilter, text
from tenantry.management.listing import ORDER, filter_argument, listed
from tenantry.management.orders import TrustedIssuerOrder
from tenantry.management.types.trusted_issuer import TrustedIssuer
from tenantry.store import trusted_issuers


@strawberry.type
class TrustedIssuerQueries:
    @field(
        "The issuers whose assertions about users are traded for tokens.",
        "read:tenant_settings",
    )
    async def trusted_issuers(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[TrustedIssuerFilter | None, filter_argument("trusted issuers")] = None,
        order_by: Annotated[TrustedIssuerOrder, ORDER] = TrustedIssuerOrder.CREATED_AT_ASC,
    ) -> ListOf[TrustedIssuer] | None:
        chosen, tenant_id = criteria or TrustedIssuerFilter(), info.context.tenant_id
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            trusted_issuers.page,
            trusted_issuers.count,
            lambda facts: TrustedIssuer.of(facts, tenant_id),
            issuer_contains=text(chosen.issuer_contains),
        )
