"""Answers: JSON, pages, redirects and the response modes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from tenantry.oauth.response_target import ResponseTarget
from tenantry.pages import (
    FormPostView,
    WebMessageView,
    form_post_page,
    security_headers,
    web_message_page,
)
from tenantry.rules.redirect_uris import origin_of

_compact = json.JSONEncoder(separators=(",", ":")).encode
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def json_response(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        _compact(content),
        status,
        {"X-Content-Type-Options": "nosniff", **(headers or {})},
        "application/json",
    )


async def refuse(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    """The answer, also to a handshake of a WebSocket (the ASGI extension for it)."""
    if scope["type"] == "http":
        await response(scope, receive, send)
    else:
        await WebSocket(scope, receive, send).send_denial_response(response)


def page(html: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """With the headers of any page of ours, unless others are given."""
    chosen = headers or security_headers("page")
    return Response(html.encode(), status, chosen, "text/html; charset=utf-8")


def see_other(url: str) -> Response:
    """303, so that credentials that were posted are not posted again (RFC 9700 §4.12)."""
    headers = {**NO_STORE, "Referrer-Policy": "no-referrer"}
    response = RedirectResponse(url, 303, headers)
    # The URL was registered as it is: nothing in it may be written anew.
    response.headers["location"] = url
    return response


def authorization_response(
    target: ResponseTarget, parameters: Mapping[str, str], issuer: str | None
) -> Response:
    """The answer at the redirect URI, with `state` and, unless switched off, `iss` (RFC 9207)."""
    fields = dict(parameters)
    if target.state is not None:
        fields["state"] = target.state
    if issuer is not None:
        fields["iss"] = issuer
    if target.response_mode == "form_post":
        html = form_post_page(FormPostView(target.redirect_uri, tuple(fields.items())))
        return Response(
            html.encode(), 200, security_headers("form_post"), "text/html; charset=utf-8"
        )
    if target.response_mode == "web_message":
        return _web_message(target, fields)
    if target.response_mode == "fragment":
        return see_other(f"{target.redirect_uri}#{urlencode(fields, quote_via=quote)}")
    return see_other(with_query(target.redirect_uri, fields))


def _web_message(target: ResponseTarget, fields: Mapping[str, str]) -> Response:
    """Web Message Response Mode §2: posted to the registered origin, and framed by it alone."""
    origin = origin_of(target.redirect_uri)
    if origin is None:
        raise ValueError("a web_message answer needs a web origin")
    html = web_message_page(WebMessageView(origin, _compact(fields)))
    headers = security_headers("web_message", origin)
    return Response(html.encode(), 200, headers, "text/html; charset=utf-8")


def with_query(uri: str, fields: Mapping[str, str]) -> str:
    """`uri` with more parameters in its query (RFC 6749 §3.1.2: "MUST be retained")."""
    if not fields:
        return uri
    parts = urlsplit(uri)
    query = urlencode(fields, quote_via=quote)
    if parts.scheme not in {"http", "https"}:
        return f"{uri}{'&' if '?' in uri else '?'}{query}"
    return urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query))
