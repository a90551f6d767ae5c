"""`/graphql` of a tenant: the explorer for browsers, and operations by POST for everybody."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import strawberry
from graphql import DocumentNode, GraphQLError, OperationDefinitionNode, OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from tenantry.core.errors import Overloaded
from tenantry.management import callers, throttle, websocket
from tenantry.management.answers import Answer, as_json, errors_of, refused
from tenantry.management.body import (
    EVENT_STREAM,
    BadRequest,
    Parameters,
    idempotency_key,
    read_parameters,
    require_json,
)
from tenantry.management.context import ManagementContext
from tenantry.management.documents import (
    Documents,
    only_introspects,
    operation_of,
    require_small,
)
from tenantry.management.errors import published, request_error
from tenantry.management.event_stream import event_stream
from tenantry.management.explorer.serve import explorer_response, introspects_anonymously
from tenantry.management.persisted import require_trusted, with_document
from tenantry.management.schema import build_schema
from tenantry.management.streaming import RefusedError, Streaming
from tenantry.rules.rate_limits import RateLimit
from tenantry.services.access_control import require_still_let_in
from tenantry.services.dpop import RefusedProof
from tenantry.services.management_access import Administrator, TenantGone
from tenantry.services.request import RequestContext, acts_for, request_context
from tenantry.services.runtime import Runtime
from tenantry.tokens.verify import InvalidToken

_ALLOW = "GET, POST"
_RESPONSE_JSON = "application/graphql-response+json"
_log = logging.getLogger(__name__)


def graphql_endpoint(runtime: Runtime) -> ASGIApp:
    return GraphQLEndpoint(runtime)


class GraphQLEndpoint:
    """An ASGI application. The schema and the known documents are those of the process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._schema: strawberry.Schema = build_schema()
        self._documents = Documents(self._schema._schema)
        self._streaming = Streaming(self._schema, self._documents, runtime.max_graphql_cost)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = request_context(scope)
        if scope["type"] == "websocket":
            connect = partial(self._connect, context)
            await websocket.serve(WebSocket(scope, receive, send), connect)
            return
        request = Request(scope, receive)
        try:
            response = await self._respond(request, context)
        except BadRequest as refusal:
            error = request_error(refusal.code, refusal.message)
            response = as_json(Answer(errors_of(error), refusal.status), headers=refusal.headers)
        except InvalidToken as invalid:
            throttled = await throttle.spend_for_stranger(self._runtime, context)
            if throttled:
                response = as_json(refused(throttled))
            else:
                response = callers.challenge(self._runtime, request, context, invalid)
        except RefusedProof as proof:
            response = callers.challenge(self._runtime, request, context, proof)
        except TenantGone:
            error = request_error("NOT_FOUND", "There is no such tenant.")
            response = as_json(Answer(errors_of(error), 404))
        except Overloaded as overloaded:
            error = request_error("OVERLOADED", "The server has too much to do.")
            retry = {"Retry-After": str(overloaded.retry_after)}
            response = as_json(Answer(errors_of(error), 503), headers=retry)
        except ClientDisconnect:
            return
        except Exception:
            _log.exception("fault, request %s", context.facts.request_id)
            fault = request_error(
                "INTERNAL", "Internal error", correlationId=context.facts.request_id
            )
            response = as_json(Answer(errors_of(fault), 500))
        await response(scope, receive, send)

    async def _respond(self, request: Request, context: RequestContext) -> Response:
        if request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("accept", ""):
            return await explorer_response(self._runtime, context.address)
        if request.method != "POST":
            # RFC 9110 §15.5.6. Nothing runs by GET, so that no link can change anything.
            raise BadRequest(405, "METHOD_NOT_ALLOWED", "Send operations by POST.", Allow=_ALLOW)
        require_json(request)
        asked_by = await self._administrator(request, context)
        parameters = await read_parameters(request, is_signed_in=asked_by is not None)
        if EVENT_STREAM in request.headers.get("accept", ""):
            return await self._follow(request, context, asked_by, parameters)
        answer = await self._run(request, context, asked_by, parameters)
        if _RESPONSE_JSON in request.headers.get("accept", ""):
            status = max(answer.status, 200 if "data" in answer.body else 400)
            return as_json(Answer(answer.body, status), f"{_RESPONSE_JSON}; charset=utf-8")
        return as_json(answer)

    async def _administrator(
        self, request: Request, context: RequestContext
    ) -> Administrator | None:
        """Who asks. None without a token, which is enough for introspection in development."""
        values = request.headers.getlist("authorization")
        if not values and await introspects_anonymously(self._runtime, context.address):
            return None
        header = values[0] if len(values) == 1 else ""
        administrator = await callers.authorized(self._runtime, context, header)
        acts_for(request.scope, administrator.application)
        await callers.require_possession(self._runtime, request, administrator, header)
        return administrator

    async def _follow(
        self,
        request: Request,
        context: RequestContext,
        asked_by: Administrator | None,
        parameters: Parameters,
    ) -> Response:
        """A subscription as server-sent events."""
        if asked_by is None:
            raise InvalidToken("no token")
        request.scope["tenantry.route"] = "/graphql (events)"
        header = request.headers.get("authorization", "")
        try:
            results = await self._begin(context, header, parameters)
        except RefusedError as refusal:
            answer = refused(*refusal.errors)
            return as_json(Answer(answer.body, max(400, answer.status)))
        return event_stream(results)

    async def _connect(self, context: RequestContext, header: str) -> websocket.Begin:
        try:
            caller = await callers.authorized(self._runtime, context, header)
        except TenantGone:
            raise InvalidToken("the tenant is gone") from None
        if caller.confirmation is not None and caller.confirmation.jkt is not None:
            raise InvalidToken("nothing proves a key on a WebSocket")
        return partial(self._begin, context, header)

    async def _begin(
        self,
        context: RequestContext,
        header: str,
        parameters: Parameters,
    ) -> AsyncGenerator[dict[str, Any], None]:
        async def renew() -> Administrator:
            self._runtime.configuration.refresh(context.address.tenant_id)
            try:
                await require_still_let_in(self._runtime, context)
                return await callers.authorized(self._runtime, context, header)
            except TenantGone:
                raise InvalidToken("the tenant is gone") from None

        asked_by = await renew()
        tenant_id = context.address.tenant_id
        try:
            parameters = await with_document(self._runtime, tenant_id, parameters)
            await self._pay_for_reading(context, asked_by, parameters)
            document = self._documents.prepare(parameters.query).document
            await require_trusted(self._runtime, tenant_id, parameters, document)
        except GraphQLError as refusal:
            raise RefusedError(refusal) from None
        return await self._streaming.begin(
            parameters,
            lambda document: ManagementContext(
                self._runtime, context, asked_by, document, renew=renew
            ),
        )

    async def _run(
        self,
        request: Request,
        context: RequestContext,
        asked_by: Administrator | None,
        parameters: Parameters,
    ) -> Answer:
        try:
            parameters = await with_document(self._runtime, context.address.tenant_id, parameters)
            document, operation = await self._prepared(context, asked_by, parameters)
        except RefusedError as refusal:
            return refused(*refusal.errors)
        except GraphQLError as refusal:
            return refused(refusal)
        if operation.operation is OperationType.SUBSCRIPTION:
            message = f"Send subscriptions with `Accept: {EVENT_STREAM}` or over a WebSocket."
            return Answer(errors_of(request_error("BAD_REQUEST", message)))
        cost: dict[str, Any] = {
            "requested": self._documents.cost(document, operation, parameters.variables),
            "limit": self._runtime.max_graphql_cost,
        }
        if cost["requested"] > cost["limit"]:
            message = f"The operation costs {cost['requested']}; the limit is {cost['limit']}."
            error = request_error("COST_LIMIT", message, **cost)
            return Answer(errors_of(error) | {"extensions": {"cost": cost}})
        made = ManagementContext(
            self._runtime, context, asked_by, document, idempotency_key(request, parameters)
        )
        asker = throttle.Asker(self._runtime, context, asked_by)
        bucket = await throttle.spend(asker, RateLimit.GRAPHQL_COST, cost["requested"])
        cost |= throttle.state(bucket)
        throttled = throttle.refusal(bucket)
        if throttled is not None:
            answer = refused(throttled)
            return Answer({**answer.body, "extensions": {"cost": cost}}, answer.status)
        result = await self._schema.execute(
            parameters.query,
            variable_values=parameters.variables,
            operation_name=parameters.operation_name,
            context_value=made,
        )
        errors = published(result.errors or (), context.facts.request_id)
        ran = result.data is not None or any(error.path for error in errors)
        body: dict[str, Any] = {"data": result.data} if ran else {}
        body |= errors_of(*errors) if errors else {}
        return Answer(body | {"extensions": {"cost": cost}})

    async def _prepared(
        self, context: RequestContext, asked_by: Administrator | None, parameters: Parameters
    ) -> tuple[DocumentNode, OperationDefinitionNode]:
        """The document and the operation that may run: valid, trusted, and not for anybody."""
        tenant_id = context.address.tenant_id
        await self._pay_for_reading(context, asked_by, parameters)
        prepared = self._documents.prepare(parameters.query)
        document = prepared.document
        await require_trusted(self._runtime, tenant_id, parameters, document)
        if document is None:
            if asked_by is None:
                raise InvalidToken("not a document that only introspects")
            raise RefusedError(*prepared.errors)
        operation = operation_of(document, parameters.operation_name)
        require_small(parameters, operation)
        if asked_by is None and not only_introspects(document, operation):
            raise InvalidToken("no token")
        return document, operation

    async def _pay_for_reading(
        self, context: RequestContext, asked_by: Administrator | None, parameters: Parameters
    ) -> None:
        """A GraphQLError where the caller has nothing left for a document that is new here."""
        if self._documents.knows(parameters.query):
            return
        asker = throttle.Asker(self._runtime, context, asked_by)
        throttled = await throttle.spend_for_reading(asker, parameters.query)
        if throttled is not None:
            raise throttled
