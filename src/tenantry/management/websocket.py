"""GraphQL over WebSocket, subprotocol `graphql-transport-ws`, for subscriptions.

A browser cannot set headers on a WebSocket, so the access token is the member `authorization` of
the payload of `connection_init`, or the header of the handshake.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from tenantry.management.body import BadRequest, Parameters, parse_body
from tenantry.management.errors import request_error
from tenantry.management.streaming import RefusedError
from tenantry.tokens.verify import InvalidToken

SUBPROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 3.0
PING_SECONDS = 15.0
MAX_OPERATIONS = 20
BAD_REQUEST, UNAUTHORIZED, FORBIDDEN = 4400, 4401, 4403
NOT_ACCEPTABLE, INIT_TIMEOUT, ALREADY_THERE, TOO_MANY_INITS = 4406, 4408, 4409, 4429
_INTERNAL_ERROR = 1011
_MAX_ID = 128
_log = logging.getLogger(__name__)

Results = AsyncGenerator[dict[str, Any], None]
Begin = Callable[[Parameters], Awaitable[Results]]
Connect = Callable[[str], Awaitable[Begin]]
"""Takes an Authorization header; InvalidToken unless it may ask anything."""


class Closed(Exception):
    """The connection is to end with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def serve(websocket: WebSocket, connect: Connect) -> None:
    """Serves one connection to its end."""
    if SUBPROTOCOL not in websocket.scope["subprotocols"]:
        await websocket.accept()
        await websocket.close(NOT_ACCEPTABLE, "Subprotocol not acceptable")
        return
    await websocket.accept(SUBPROTOCOL)
    try:
        await _Connection(websocket, connect).run()
    except WebSocketDisconnect:
        pass
    except Closed as closed:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await websocket.close(closed.code, closed.reason)


class _Connection:
    def __init__(self, websocket: WebSocket, connect: Connect) -> None:
        self._websocket = websocket
        self._connect = connect
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._ended: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        begin = await self._initialised()
        tasks = (
            asyncio.create_task(self._receive(begin)),
            asyncio.create_task(self._ping()),
        )
        waited: set[asyncio.Future[Any]] = {*tasks, self._ended}
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if self._ended.done():
                raise self._ended.result()
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            running = [*tasks, *self._operations.values()]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _initialised(self) -> Begin:
        try:
            async with asyncio.timeout(INIT_SECONDS):
                while (message := await self._message())["type"] in {"ping", "pong"}:
                    await self._answer_ping(message)
        except TimeoutError:
            raise Closed(INIT_TIMEOUT, "Connection initialisation timeout") from None
        if message["type"] != "connection_init":
            raise Closed(UNAUTHORIZED, "Unauthorized")
        payload = message.get("payload") or {}
        if not isinstance(payload, dict):
            raise Closed(BAD_REQUEST, "The payload is not an object.")
        given = payload.get("authorization", payload.get("Authorization"))
        header = given if isinstance(given, str) else self._websocket.headers.get("authorization")
        try:
            begin = await self._connect(header or "")
        except InvalidToken:
            raise Closed(FORBIDDEN, "Forbidden") from None
        await self._send({"type": "connection_ack"})
        return begin

    async def _receive(self, begin: Begin) -> None:
        while True:
            message = await self._message()
            kind, id_ = message["type"], message.get("id")
            if kind == "connection_init":
                raise Closed(TOO_MANY_INITS, "Too many initialisation requests")
            if kind in {"ping", "pong"}:
                await self._answer_ping(message)
                continue
            if not isinstance(id_, str) or not 0 < len(id_) <= _MAX_ID:
                raise Closed(BAD_REQUEST, "A message has an id of 1 to 128 characters.")
            if kind == "complete":
                operation = self._operations.pop(id_, None)
                if operation:
                    operation.cancel()
            elif kind == "subscribe":
                await self._subscribe(begin, id_, message.get("payload"))
            else:
                raise Closed(BAD_REQUEST, "There is no such type of message.")

    async def _subscribe(self, begin: Begin, id: str, payload: Any) -> None:
        if id in self._operations:
            raise Closed(ALREADY_THERE, f"Subscriber for {id} already exists")
        if len(self._operations) >= MAX_OPERATIONS:
            limit = request_error(
                "SUBSCRIPTION_LIMIT", f"A connection has at most {MAX_OPERATIONS} subscriptions."
            )
            await self._refuse(id, RefusedError(limit))
            return
        try:
            parameters = parse_body(json.dumps(payload).encode())
        except BadRequest as refusal:
            error = request_error(refusal.code, refusal.message)
            await self._refuse(id, RefusedError(error))
            return
        self._operations[id] = asyncio.create_task(self._operate(begin, id, parameters))

    async def _operate(self, begin: Begin, id: str, parameters: Parameters) -> None:
        try:
            results = await begin(parameters)
            try:
                async for result in results:
                    await self._send({"type": "next", "id": id, "payload": result})
            finally:
                await results.aclose()
            self._operations.pop(id, None)
            await self._send({"type": "complete", "id": id})
        except RefusedError as refusal:
            self._operations.pop(id, None)
            await self._refuse(id, refusal)
        except InvalidToken:
            self._end(Closed(FORBIDDEN, "Forbidden"))
        except (WebSocketDisconnect, RuntimeError):
            self._end(Closed(_INTERNAL_ERROR, "Disconnected"))
        except Exception:
            _log.exception("fault in a subscription")
            self._end(Closed(_INTERNAL_ERROR, "Internal error"))

    def _end(self, closed: Closed) -> None:
        if not self._ended.done():
            self._ended.set_result(closed)

    async def _refuse(self, id: str, refusal: RefusedError) -> None:
        errors = [error.formatted for error in refusal.errors]
        await self._send({"type": "error", "id": id, "payload": errors})

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            await self._send({"type": "ping"})

    async def _answer_ping(self, message: dict[str, Any]) -> None:
        if message["type"] == "ping":
            await self._send({"type": "pong"})

    async def _message(self) -> dict[str, Any]:
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        try:
            message = json.loads(received.get("text") or "")
        except (ValueError, RecursionError):
            raise Closed(BAD_REQUEST, "A message is JSON.") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Closed(BAD_REQUEST, "A message is an object with a type.")
        return message

    async def _send(self, message: dict[str, Any]) -> None:
        text = json.dumps(message, ensure_ascii=True, separators=(",", ":"))
        await self._websocket.send_text(text)
