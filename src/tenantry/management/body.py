"""The body of a request: read up to its limit, and taken apart without trust."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Never

from starlette.requests import Request

from tenantry.management.limits import MAX_DOCUMENT, has_nul
from tenantry.rules.fields import encodable

MAX_BODY = 512 * 1024
_MAX_JSON_DEPTH = 64
_JSON = "application/json"


class BadRequest(Exception):
    """What is refused before GraphQL sees it."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True, slots=True)
class Parameters:
    """The members of a request, of the right types."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)


def require_json(request: Request) -> None:
    """A page of another origin can send every other type without being asked (CSRF)."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if media_type.strip().lower() != _JSON or charset not in {"", "charset=utf-8"}:
        raise BadRequest(415, "UNSUPPORTED_MEDIA_TYPE", f"Send {_JSON} in UTF-8.", Accept=_JSON)


async def read_body(request: Request) -> bytes:
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced[:20]) > MAX_BODY:
        _too_large()
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            _too_large()
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large() -> Never:
    raise BadRequest(413, "BODY_TOO_LARGE", f"A request has at most {MAX_BODY} bytes.")


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
    if not isinstance(query, str) or not query.strip():
        raise BadRequest(400, "BAD_REQUEST", "`query` must be a GraphQL document.")
    if name is not None and not isinstance(name, str):
        raise BadRequest(400, "BAD_REQUEST", "`operationName` must be text.")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest(400, "BAD_REQUEST", "`variables` must be an object.")
    if len(query.encode()) > MAX_DOCUMENT:
        raise BadRequest(400, "DOCUMENT_LIMIT", f"A document has at most {MAX_DOCUMENT} bytes.")
    if has_nul(query):
        _refuse_text()
    return Parameters(query, name or None, variables or {})


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
