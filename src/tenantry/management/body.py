"""The body of a request: read up to its limit, and taken apart without trust."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any, Never

from starlette.requests import Request

from tenantry.management.codes import RequestCode
from tenantry.management.idempotency import IdempotencyKey, body_digest, is_key
from tenantry.management.limits import MAX_DOCUMENT, has_nul
from tenantry.rules.fields import encodable

MAX_BODY = 512 * 1024
MAX_CONFIGURATION_BODY = 16 * 1024 * 1024
"""For a caller who is signed in and asks for nothing but what takes a configuration document."""
_MAX_JSON_DEPTH = 64
_JSON = "application/json"
EVENT_STREAM = "text/event-stream"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DOCUMENT_ID = re.compile(r"sha256:([0-9a-f]{64})")


class BadRequest(Exception):
    """What is refused before GraphQL sees it."""

    def __init__(self, status: int, code: RequestCode, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True, slots=True)
class Parameters:
    """The members of a request, of the right types. `query` is empty where only a digest is."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    size: int = 0
    digest: str | None = None


def require_json(request: Request) -> None:
    """A page of another origin can send every other type without being asked (CSRF)."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if media_type.strip().lower() != _JSON or charset not in {"", "charset=utf-8"}:
        raise BadRequest(415, "UNSUPPORTED_MEDIA_TYPE", f"Send {_JSON} in UTF-8.", Accept=_JSON)


async def read_parameters(request: Request, *, is_signed_in: bool) -> Parameters:
    """A large body is taken apart on a thread of its own."""
    follows = EVENT_STREAM in request.headers.get("accept", "")
    large = is_signed_in and not follows
    body = await _read_body(request, MAX_CONFIGURATION_BODY if large else MAX_BODY)
    if len(body) > MAX_BODY:
        return await asyncio.to_thread(parse_body, body)
    return parse_body(body)


async def _read_body(request: Request, limit: int) -> bytes:
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced[:20]) > limit:
        too_large(limit)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def too_large(limit: int) -> Never:
    raise BadRequest(413, "BODY_TOO_LARGE", f"A request has at most {limit} bytes.")


def parse_body(body: bytes) -> Parameters:
    try:
        value = json.loads(body.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadRequest(400, "INVALID_JSON", "The body is not JSON in UTF-8.") from None
    if isinstance(value, list):
        raise BadRequest(400, "BATCH_REFUSED", "Send one operation, not a list.")
    if not isinstance(value, dict):
        raise BadRequest(400, "BAD_REQUEST", "The body is not a JSON object.")
    _require_clean(value)
    query, name, variables = (value.get(key) for key in ("query", "operationName", "variables"))
    digest = _digest(value)
    if query is None and digest is not None:
        query = ""
    elif not isinstance(query, str) or not query.strip():
        raise BadRequest(400, "BAD_REQUEST", "`query` must be a GraphQL document.")
    if name is not None and not isinstance(name, str):
        raise BadRequest(400, "BAD_REQUEST", "`operationName` must be text.")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest(400, "BAD_REQUEST", "`variables` must be an object.")
    if len(query.encode()) > MAX_DOCUMENT:
        raise BadRequest(400, "DOCUMENT_LIMIT", f"A document has at most {MAX_DOCUMENT} bytes.")
    if has_nul(query):
        _refuse_text()
    return Parameters(query, name or None, variables or {}, len(body), digest)


def _digest(body: dict[str, Any]) -> str | None:
    """The digest that names a document: `documentId`, or the extension `persistedQuery`."""
    document_id, extensions = body.get("documentId"), body.get("extensions")
    if document_id is not None:
        found = _DOCUMENT_ID.fullmatch(document_id) if isinstance(document_id, str) else None
        if found is None:
            message = "`documentId` must be sha256: and 64 hexadecimal digits in lower case."
            raise BadRequest(400, "BAD_REQUEST", message)
        return found[1]
    persisted = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    if persisted is None:
        return None
    digest = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if (
        not isinstance(digest, str)
        or not _DIGEST.fullmatch(digest)
        or persisted.get("version") != 1
    ):
        message = "`persistedQuery` must have `version` 1 and `sha256Hash`, 64 hexadecimal digits."
        raise BadRequest(400, "BAD_REQUEST", message)
    return digest


def _refuse_constant(name: str) -> Never:
    raise ValueError(name)


def _require_clean(value: Any) -> None:
    """No NUL, no lone surrogate, no deep nesting: nothing that would fail further inside."""
    level = [value]
    for _ in range(_MAX_JSON_DEPTH):
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                deeper += item.keys()
                deeper += item.values()
            elif isinstance(item, list):
                deeper += item
            elif isinstance(item, str) and not encodable(item):
                _refuse_text()
        if not deeper:
            return
        level = deeper
    raise BadRequest(400, "JSON_DEPTH", f"JSON is nested at most {_MAX_JSON_DEPTH} levels deep.")


def _refuse_text() -> Never:
    raise BadRequest(400, "INVALID_TEXT", "Text must not hold NUL or lone surrogates.")


def idempotency_key(request: Request, parameters: Parameters) -> IdempotencyKey | None:
    values = request.headers.getlist("idempotency-key")
    if not values:
        return None
    if len(values) > 1 or not is_key(values[0]):
        raise BadRequest(
            400, "BAD_REQUEST", "`Idempotency-Key` has 1 to 255 visible ASCII characters."
        )
    digest = body_digest(parameters.query, parameters.operation_name, parameters.variables)
    return IdempotencyKey(values[0], digest)
