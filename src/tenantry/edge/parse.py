"""Bodies and queries, read once, bounded in size and number."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Never
from urllib.parse import parse_qsl

from starlette.requests import Request

from tenantry.oauth.errors import OAuthError, invalid_request
from tenantry.oauth.parameters import MAX_PARAMETERS, Parameters
from tenantry.rules.fields import encodable

MAX_BODY = 65_536
MAX_QUERY = 16_384
_MAX_DIGITS = 12
_MAX_DEPTH = 16
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_REPEATABLE = frozenset({"resource", "audience"})


async def read_body(request: Request) -> bytes:
    """At most 64 KiB; a longer body is refused before it is read to its end."""
    declared = request.headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdigit()):
        raise invalid_request("The header Content-Length is not a number.")
    if len(declared) > _MAX_DIGITS or int(declared) > MAX_BODY:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            raise _too_large()
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large() -> OAuthError:
    return OAuthError("invalid_request", "The request body is larger than 64 KiB.", 413)


def query_parameters(request: Request) -> Parameters:
    query: bytes = request.scope["query_string"]
    if len(query) > MAX_QUERY:
        raise invalid_request("The query is too long.")
    return Parameters(_pairs(query))


async def form_parameters(request: Request) -> Parameters:
    """The parameters of a form body, and of nothing else."""
    if _media_type(request) != _FORM:
        raise OAuthError("invalid_request", f"The content type must be {_FORM}.", 415)
    return Parameters(_pairs(await read_body(request)))


async def token_parameters(request: Request) -> Parameters:
    """The parameters of a token request: a form (RFC 6749 §4), or JSON as some SDKs send."""
    if request.scope["query_string"]:
        # §2.3.1: "The parameters can only be transmitted in the request-body".
        raise invalid_request("The token endpoint takes no parameters in the query.")
    if _media_type(request) == _JSON:
        return Parameters(_json_pairs(await read_body(request)))
    return await form_parameters(request)


def has_form(request: Request) -> bool:
    return _media_type(request) == _FORM


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _pairs(data: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            data.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except UnicodeError:
        raise invalid_request("The request is not percent-encoded UTF-8.") from None
    except ValueError:
        raise invalid_request("The request has too many parameters.") from None


def _json_pairs(data: bytes) -> Iterable[tuple[str, str]]:
    try:
        document = json.loads(data, object_pairs_hook=_Object)
    except (ValueError, RecursionError):
        raise invalid_request("The request body is not a JSON object.") from None
    if not isinstance(document, _Object):
        raise invalid_request("The request body is not a JSON object.")
    return [pair for name, value in document for pair in _flatten(name, value)]


async def json_document(request: Request) -> dict[str, Any]:
    """A body that is a JSON object: no member twice, nothing that no column holds, not deep."""
    if _media_type(request) != _JSON:
        raise OAuthError("invalid_request", f"The content type must be {_JSON}.", 415)
    data = await read_body(request)
    try:
        document = json.loads(
            data.decode(), object_pairs_hook=_members, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        raise _bad_document("not a JSON object in UTF-8 that has each member once") from None
    if not isinstance(document, dict):
        raise _bad_document("not a JSON object")
    _require_storable(document, _MAX_DEPTH)
    return document


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def _refuse_constant(name: str) -> Never:
    raise ValueError(name)


def _require_storable(value: Any, depth: int) -> None:
    if isinstance(value, dict | list) and depth == 0:
        raise _bad_document(f"nested more than {_MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        for name, item in value.items():
            _require_storable(name, depth - 1)
            _require_storable(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _require_storable(item, depth - 1)
    elif isinstance(value, str) and not encodable(value):
        raise _bad_document("holding text with NUL or a lone surrogate")


def _bad_document(what: str) -> OAuthError:
    return OAuthError("invalid_client_metadata", f"The request body is {what}.")


class _Object(list[tuple[str, Any]]):
    """A JSON object as its pairs, so that repeated members are seen."""


def _flatten(name: str, value: Any) -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        return [(name, value)]
    if value is None:
        return []
    repeatable = name in _REPEATABLE and isinstance(value, list) and not isinstance(value, _Object)
    if repeatable and all(isinstance(item, str) for item in value):
        return [(name, item) for item in value]
    raise invalid_request("Every parameter must be a string.")
