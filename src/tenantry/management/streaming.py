"""Subscriptions as both transports run them: checked like every operation, then followed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, TypeVar

import strawberry
from graphql import DocumentNode, ExecutionResult, GraphQLError, OperationType, subscribe

from tenantry.management import throttle
from tenantry.management.body import Parameters
from tenantry.management.context import ManagementContext
from tenantry.management.documents import Documents, operation_of
from tenantry.management.errors import published, request_error
from tenantry.rules.rate_limits import RateLimit

T = TypeVar("T")


class RefusedError(Exception):
    """The operation does not begin. `errors` may be shown."""

    def __init__(self, *errors: GraphQLError) -> None:
        super().__init__(*(error.message for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Streaming:
    """Begins subscriptions of one schema."""

    schema: strawberry.Schema
    documents: Documents
    max_cost: int

    async def begin(
        self, parameters: Parameters, context: Callable[[DocumentNode], ManagementContext]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The results of a subscription; RefusedError where it does not begin."""
        document, cost = self._document(parameters)
        made = context(document)
        asker = throttle.Asker(made.runtime, made.request, made.asked_by)
        bucket = await throttle.spend(asker, RateLimit.GRAPHQL_COST, cost)
        throttled = throttle.refusal(bucket)
        if throttled is not None:
            raise RefusedError(throttled)
        found: Any = subscribe(
            self.schema._schema,
            document,
            context_value=made,
            variable_values=parameters.variables,
            operation_name=parameters.operation_name,
        )
        if isawaitable(found):
            found = await found
        if isinstance(found, ExecutionResult):
            raise RefusedError(*published(found.errors or (), made.request.facts.request_id))
        shown = {"requested": cost, "limit": self.max_cost, **throttle.state(bucket)}
        return _results(found, made.request.facts.request_id, {"cost": shown})

    def _document(self, parameters: Parameters) -> tuple[DocumentNode, int]:
        prepared = self.documents.prepare(parameters.query)
        document = prepared.document
        if document is None:
            raise RefusedError(*prepared.errors)
        try:
            operation = operation_of(document, parameters.operation_name)
        except GraphQLError as refusal:
            raise RefusedError(refusal) from None
        if operation.operation is not OperationType.SUBSCRIPTION:
            message = "Only subscriptions are sent here; send queries and mutations by POST."
            raise RefusedError(request_error("BAD_REQUEST", message))
        cost = self.documents.cost(document, operation, parameters.variables)
        if cost > self.max_cost:
            message = f"The operation costs {cost}; the limit is {self.max_cost}."
            raise RefusedError(
                request_error("COST_LIMIT", message, requested=cost, limit=self.max_cost)
            )
        return document, cost


async def _results(
    found: AsyncGenerator[ExecutionResult, None], request_id: str, extensions: dict[str, Any]
) -> AsyncGenerator[dict[str, Any], None]:
    """Each event's result, the first with the cost. A GraphQLError of the source is the last."""
    more: dict[str, Any] = {"extensions": extensions}
    try:
        async for result in found:
            body: dict[str, Any] = {"data": result.data}
            if result.errors:
                errors = published(result.errors, request_id)
                body["errors"] = [error.formatted for error in errors]
            yield body | more
            more = {}
    except GraphQLError as refusal:
        raise RefusedError(*published([refusal], request_id)) from None
    finally:
        await found.aclose()


async def with_pauses(source: AsyncGenerator[T, None], seconds: float) -> AsyncIterator[T | None]:
    """What the source gives, and None where it gave nothing for a while."""
    waiting: asyncio.Task[T] | None = None
    try:
        while True:
            waiting = asyncio.ensure_future(anext(source))
            while not (await asyncio.wait({waiting}, timeout=seconds))[0]:
                yield None
            try:
                yield waiting.result()
            except StopAsyncIteration:
                return
    finally:
        if waiting is not None and not waiting.done():
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration, Exception):
                await waiting
        await source.aclose()
