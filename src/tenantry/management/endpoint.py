"""`/graphql` of a tenant: the explorer for browsers, and operations by POST for everybody."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import strawberry
from graphql import GraphQLError, OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from tenantry.core.errors import Overloaded
from tenantry.management import websocket
from tenantry.management.body import BadRequest, Parameters, parse_body, read_body, require_json
from tenantry.management.context import ManagementContext
from tenantry.management.documents import Documents, only_introspects, operation_of
from tenantry.management.errors import published, request_error
from tenantry.management.event_stream import MEDIA_TYPE, event_stream
from tenantry.management.explorer.serve import explorer_response
from tenantry.management.idempotency import IdempotencyKey, body_digest, is_key
from tenantry.management.schema import build_schema
from tenantry.management.streaming import RefusedError, Streaming
from tenantry.services.management_access import Administrator, TenantGone, authorize
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
            return explorer_response(self._runtime, context.address)
        if request.method != "POST":
            # RFC 9110 §15.5.6. Nothing runs by GET, so that no link can change anything.
            raise BadRequest(405, "METHOD_NOT_ALLOWED", "Send operations by POST.", Allow=_ALLOW)
        require_json(request)
        asked_by = await self._administrator(request, context)
        parameters = parse_body(await read_body(request))
        if MEDIA_TYPE in request.headers.get("accept", ""):
            return await self._follow(request, context, asked_by, parameters)
        answer = await self._run(request, context, asked_by, parameters)
        if _RESPONSE_JSON in request.headers.get("accept", ""):
            status = answer.status if "data" in answer.body else 400
            return _json(Answer(answer.body, status), f"{_RESPONSE_JSON}; charset=utf-8")
        return _json(answer)

    async def _administrator(
        self, request: Request, context: RequestContext
    ) -> Administrator | None:
        """Who asks. None without a token, which is enough for introspection in development."""
        values = request.headers.getlist("authorization")
        if not values and self._runtime.is_development:
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
            return _json(Answer(_errors(*refusal.errors), 400))
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
        prepared = self._documents.prepare(parameters.query)
        document = prepared.document
        if document is None:
            if asked_by is None:
                raise InvalidToken("not a document that only introspects")
            return Answer(_errors(*prepared.errors))
        try:
            operation = operation_of(document, parameters.operation_name)
        except GraphQLError as refusal:
            return Answer(_errors(refusal))
        if asked_by is None and not only_introspects(document, operation):
            raise InvalidToken("no token")
        if operation.operation is OperationType.SUBSCRIPTION:
            message = f"Send subscriptions with `Accept: {MEDIA_TYPE}` or over a WebSocket."
            return Answer(_errors(request_error("BAD_REQUEST", message)))
        cost = {
            "requested": self._documents.cost(document, operation, parameters.variables),
            "limit": self._runtime.max_graphql_cost,
        }
        if cost["requested"] > cost["limit"]:
            message = f"The operation costs {cost['requested']}; the limit is {cost['limit']}."
            error = request_error("COST_LIMIT", message, **cost)
            return Answer(_errors(error) | {"extensions": {"cost": cost}})
        result = await self._schema.execute(
            parameters.query,
            variable_values=parameters.variables,
            operation_name=parameters.operation_name,
            context_value=ManagementContext(
                self._runtime, context, asked_by, document, _idempotency(request, parameters)
            ),
        )
        errors = published(result.errors or (), context.facts.request_id)
        ran = result.data is not None or any(error.path for error in errors)
        body: dict[str, Any] = {"data": result.data} if ran else {}
        if errors:
            body |= _errors(*errors)
        return Answer(body | {"extensions": {"cost": cost}})

    def _challenge(self, request: Request, context: RequestContext) -> Response:
        """RFC 6750 §3 and RFC 9728 §5.1: how to ask, and where it is written who may."""
        address = context.address
        path = self._runtime.addresses.insertion_path(address.issuer)
        metadata = f"{address.origin}/.well-known/oauth-protected-resource{path}/graphql"
        reason = 'error="invalid_token", ' if "authorization" in request.headers else ""
        error = request_error("UNAUTHENTICATED", "Send an access token for this management API.")
        challenge = f'Bearer {reason}resource_metadata="{metadata}"'
        return _json(Answer(_errors(error), 401), headers={"WWW-Authenticate": challenge})


def _idempotency(request: Request, parameters: Parameters) -> IdempotencyKey | None:
    values = request.headers.getlist("idempotency-key")
    if not values:
        return None
    if len(values) > 1 or not is_key(values[0]):
        raise BadRequest(
            400, "BAD_REQUEST", "`Idempotency-Key` has 1 to 255 visible ASCII characters."
        )
    digest = body_digest(parameters.query, parameters.operation_name, parameters.variables)
    return IdempotencyKey(values[0], digest)


def _errors(*errors: GraphQLError) -> dict[str, Any]:
    return {"errors": [error.formatted for error in errors]}


def _json(
    answer: Answer,
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response:
    text = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
    return Response(
        text.encode(errors="replace"),
        answer.status,
        {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})},
        media_type,
    )
