"""`/graphql` of a tenant: the explorer for browsers, and operations by POST for everybody."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import strawberry
from graphql import DocumentNode, GraphQLError, OperationDefinitionNode, OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from tenantry.core.errors import Overloaded
from tenantry.management import throttle, websocket
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
from tenantry.services.management_access import (
    Administrator,
    TenantGone,
    authorize,
)
from tenantry.services.request import RequestContext, acts_for, request_context
from tenantry.services.runtime import Runtime
from tenantry.tokens.verify import InvalidToken

_ALLOW = "GET, POST"
_RESPONSE_JSON = "application/graphql-response+json"
_log = logging.getLogger(__name__)


def graphql_endpoint(runtime: Runtime) -> ASGIApp:
    return GraphQLEndpoint(runtime)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back. A request error has no `data`; nothing of the operation ran then."""

    body: Mapping[str, Any]
    status: int = 200


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
            response = _json(Answer(_errors(error), refusal.status), headers=refusal.headers)
        except InvalidToken:
            response = self._challenge(request, context)
        except TenantGone:
            error = request_error("NOT_FOUND", "There is no such tenant.")
            response = _json(Answer(_errors(error), 404))
        except Overloaded as overloaded:
            error = request_error("OVERLOADED", "The server has too much to do.")
            retry = {"Retry-After": str(overloaded.retry_after)}
            response = _json(Answer(_errors(error), 503), headers=retry)
        except ClientDisconnect:
            return
        except Exception:
            _log.exception("fault, request %s", context.facts.request_id)
            fault = request_error(
                "INTERNAL", "Internal error", correlationId=context.facts.request_id
            )
            response = _json(Answer(_errors(fault), 500))
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
            return _json(Answer(answer.body, status), f"{_RESPONSE_JSON}; charset=utf-8")
        return _json(answer)

    async def _administrator(
        self, request: Request, context: RequestContext
    ) -> Administrator | None:
        """Who asks. None without a token, which is enough for introspection in development."""
        values = request.headers.getlist("authorization")
        if not values and await introspects_anonymously(self._runtime, context.address):
            return None
        header = values[0] if len(values) == 1 else ""
        administrator = await self._authorized(context, header)
        acts_for(request.scope, administrator.application)
        return administrator

    async def _authorized(self, context: RequestContext, header: str) -> Administrator:
        scheme, _, unverified_token = header.partition(" ")
        if scheme.lower() != "bearer" or not unverified_token.strip():
            raise InvalidToken("no bearer token")
        return await authorize(self._runtime, context, unverified_token.strip())

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
            throttled = (refusal.errors[0].extensions or {}).get("code") == "THROTTLED"
            return _json(Answer(_errors(*refusal.errors), 429 if throttled else 400))
        return event_stream(results)

    async def _connect(self, context: RequestContext, header: str) -> websocket.Begin:
        try:
            await self._authorized(context, header)
        except TenantGone:
            raise InvalidToken("the tenant is gone") from None
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
                return await self._authorized(context, header)
            except TenantGone:
                raise InvalidToken("the tenant is gone") from None

        asked_by = await renew()
        tenant_id = context.address.tenant_id
        try:
            parameters = await with_document(self._runtime, tenant_id, parameters)
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
            return Answer(_errors(*refusal.errors))
        except GraphQLError as refusal:
            return Answer(_errors(refusal))
        if operation.operation is OperationType.SUBSCRIPTION:
            message = f"Send subscriptions with `Accept: {EVENT_STREAM}` or over a WebSocket."
            return Answer(_errors(request_error("BAD_REQUEST", message)))
        cost: dict[str, Any] = {
            "requested": self._documents.cost(document, operation, parameters.variables),
            "limit": self._runtime.max_graphql_cost,
        }
        if cost["requested"] > cost["limit"]:
            message = f"The operation costs {cost['requested']}; the limit is {cost['limit']}."
            error = request_error("COST_LIMIT", message, **cost)
            return Answer(_errors(error) | {"extensions": {"cost": cost}})
        made = ManagementContext(
            self._runtime, context, asked_by, document, idempotency_key(request, parameters)
        )
        bucket = await throttle.spend(made, RateLimit.GRAPHQL_COST, cost["requested"])
        cost |= throttle.state(bucket)
        throttled = throttle.refusal(bucket)
        if throttled is not None:
            return Answer(_errors(throttled) | {"extensions": {"cost": cost}}, 429)
        result = await self._schema.execute(
            parameters.query,
            variable_values=parameters.variables,
            operation_name=parameters.operation_name,
            context_value=made,
        )
        errors = published(result.errors or (), context.facts.request_id)
        ran = result.data is not None or any(error.path for error in errors)
        body: dict[str, Any] = {"data": result.data} if ran else {}
        body |= _errors(*errors) if errors else {}
        return Answer(body | {"extensions": {"cost": cost}})

    async def _prepared(
        self, context: RequestContext, asked_by: Administrator | None, parameters: Parameters
    ) -> tuple[DocumentNode, OperationDefinitionNode]:
        """The document and the operation that may run: valid, trusted, and not for anybody."""
        tenant_id = context.address.tenant_id
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

    def _challenge(self, request: Request, context: RequestContext) -> Response:
        """RFC 6750 §3 and RFC 9728 §5.1: how to ask, and where it is written who may."""
        address = context.address
        path = self._runtime.addresses.insertion_path(address.issuer)
        metadata = f"{address.origin}/.well-known/oauth-protected-resource{path}/graphql"
        reason = 'error="invalid_token", ' if "authorization" in request.headers else ""
        error = request_error("UNAUTHENTICATED", "Send an access token for this management API.")
        challenge = f'Bearer {reason}resource_metadata="{metadata}"'
        return _json(Answer(_errors(error), 401), headers={"WWW-Authenticate": challenge})


def _errors(*errors: GraphQLError) -> dict[str, Any]:
    return {"errors": [error.formatted for error in errors]}


def _retry(answer: Answer) -> dict[str, str]:
    """`Retry-After`, where the caller has used up its allowance."""
    if answer.status != 429:
        return {}
    return {"Retry-After": str(answer.body["errors"][0]["extensions"]["retryAfter"])}


def _json(
    answer: Answer,
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response:
    text = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
    return Response(
        text.encode(errors="replace"),
        answer.status,
        {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **_retry(answer),
            **(headers or {}),
        },
        media_type,
    )
