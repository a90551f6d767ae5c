"""What resolvers are handed: the runtime, the request, and who asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Concatenate, ParamSpec, TypeVar

import strawberry
from graphql import DocumentNode

from tenantry.core.context import Caller
from tenantry.management.idempotency import IdempotencyKey
from tenantry.management.loaders import Loaders
from tenantry.services.management_access import Administrator
from tenantry.services.request import RequestContext
from tenantry.services.runtime import Runtime
from tenantry.store.unit_of_work import TenantSession

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class ManagementContext:
    """One request. `asked_by` is None only where nothing but introspection runs."""

    runtime: Runtime
    request: RequestContext
    asked_by: Administrator | None
    document: DocumentNode
    idempotency: IdempotencyKey | None = None
    renew: Callable[[], Awaitable[Administrator]] | None = None

    @property
    def administrator(self) -> Administrator:
        if self.asked_by is None:
            raise PermissionError("nobody is signed in")
        return self.asked_by

    async def renewed(self) -> ManagementContext:
        """The same with what the caller may do now; InvalidToken where its token has ended."""
        if self.renew is None:
            return self
        return replace(self, asked_by=await self.renew())

    @property
    def tenant_id(self) -> str:
        return self.request.address.tenant_id

    @property
    def caller(self) -> Caller:
        return self.request.caller(self.administrator.actor)

    @cached_property
    def loaders(self) -> Loaders:
        return Loaders(self.read)

    async def read(
        self,
        function: Callable[Concatenate[TenantSession, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Runs a store function as a unit of work in the tenant of the address."""
        return await self.runtime.store.read(self.tenant_id, self.caller, function, *args, **kwargs)


Info = strawberry.Info[ManagementContext, None]
