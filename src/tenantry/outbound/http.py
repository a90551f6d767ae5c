"""The one HTTP client for requests that somebody else's settings ask for.

Law: https to public addresses only, to the very address that was checked, without redirects,
small and quick. `allow_private` is the operator's word that inner addresses may be asked too,
and loopback over http.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools

from tenantry.outbound.addresses import Address, is_public, parse_address

TOTAL_SECONDS = 5.0
MAX_BODY = 65_536
_MAX_RAW = MAX_BODY + 32_768  # Header fields and the marks between chunks.
_CONCURRENT = 16
_CHUNK = 16_384


class OutboundError(Exception):
    """The request was not made, or its answer was not taken. The reason stays private."""


def _cause(error: Exception) -> str:
    """What went wrong, for whoever runs the other side."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate was refused: {error.verify_message}"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, socket.gaierror):
        return "the name has no address"
    return f"failed: {type(error).__name__}"


@dataclass(frozen=True, slots=True)
class OutboundResponse:
    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Target:
    host: str
    port: int
    authority: str
    path: str
    is_https: bool


class OutboundClient:
    """One per process; at most sixteen requests at once, each within five seconds."""

    def __init__(self, *, allow_private: bool, total_seconds: float = TOTAL_SECONDS) -> None:
        self._allow_private = allow_private
        self._total_seconds = total_seconds
        self._slots = asyncio.Semaphore(_CONCURRENT)
        self._tls: ssl.SSLContext | None = None

    async def get(self, url: str, accept: str) -> bytes:
        """The body of an answer 200; everything else is an OutboundError."""
        response = await self.send("GET", url, {"Accept": accept})
        if response.status != 200:
            raise OutboundError(f"status {response.status}")
        return response.body

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> OutboundResponse:
        """The answer, whatever its status; a redirect is an answer and is not followed."""
        target = self._target(url)
        try:
            async with asyncio.timeout(self._total_seconds), self._slots:
                reader, writer = await self._connect(target)
                try:
                    writer.write(_request(method, target, headers, body))
                    return await _answer(reader)
                finally:
                    writer.close()
        except TimeoutError:
            raise OutboundError("too slow") from None
        except (OSError, httptools.HttpParserError, UnicodeError) as error:
            raise OutboundError(_cause(error)) from error

    def _target(self, url: str) -> _Target:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise OutboundError("malformed URL") from None
        is_https = parts.scheme == "https"
        if not host or parts.username is not None or not url.isascii() or not url.isprintable():
            raise OutboundError("malformed URL")
        if not is_https and not (parts.scheme == "http" and self._allow_private):
            raise OutboundError("not https")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if " " in path:
            raise OutboundError("malformed URL")
        return _Target(host, port or (443 if is_https else 80), parts.netloc, path, is_https)

    async def _connect(self, target: _Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To an address that was checked; the name is not resolved a second time."""
        failure: OSError = ConnectionError("no address")
        for address in await self._addresses(target):
            try:
                return await asyncio.open_connection(
                    str(address),
                    target.port,
                    ssl=self._context() if target.is_https else None,
                    server_hostname=target.host if target.is_https else None,
                )
            except OSError as error:
                failure = error
        raise failure

    async def _addresses(self, target: _Target) -> list[Address]:
        """Every address of the name; one that may not be asked refuses them all."""
        found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=1)
        addresses = list(dict.fromkeys(parse_address(str(entry[4][0])) for entry in found))
        for address in addresses:
            if not target.is_https and not address.is_loopback:
                raise OutboundError("http to an address that is not loopback")
            if not (self._allow_private or is_public(address)):
                raise OutboundError("an address that is not public")
        return addresses

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        return self._tls


def _request(method: str, target: _Target, headers: Mapping[str, str], body: bytes) -> bytes:
    fields = {
        "Host": target.authority,
        "User-Agent": "Tenantry",
        "Accept-Encoding": "identity",
        "Connection": "close",
        **headers,
    }
    if body or method == "POST":
        fields["Content-Length"] = str(len(body))
    lines = [f"{method} {target.path} HTTP/1.1", *(f"{n}: {v}" for n, v in fields.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise OutboundError("malformed header")
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


class _Received:
    """What the parser reads; its methods are called by name."""

    def __init__(self) -> None:
        self.content_type = ""
        self.chunks: list[bytes] = []
        self.size = 0
        self.complete = False
        self.encoded = False
        self.framed = False
        self.has_headers = False

    def on_header(self, name: bytes, value: bytes) -> None:
        lower = name.lower()
        if lower == b"content-type":
            self.content_type = value.decode("latin-1")
        if lower == b"content-encoding" and value.strip().lower() != b"identity":
            self.encoded = True
        if lower in {b"content-length", b"transfer-encoding"}:
            self.framed = True

    def on_headers_complete(self) -> None:
        self.has_headers = True

    def on_body(self, body: bytes) -> None:
        self.size += len(body)
        if self.size <= MAX_BODY:
            self.chunks.append(body)

    def on_message_complete(self) -> None:
        self.complete = True


async def _answer(reader: asyncio.StreamReader) -> OutboundResponse:
    received = _Received()
    parser = httptools.HttpResponseParser(received)
    raw = 0
    while not received.complete:
        chunk = await reader.read(_CHUNK)
        if not chunk:
            break
        raw += len(chunk)
        parser.feed_data(chunk)
        if raw > _MAX_RAW or received.size > MAX_BODY:
            raise OutboundError("too large")
    # RFC 9112 §6.3: without a length the end of the connection is the end of the body.
    if not received.complete and (received.framed or not received.has_headers):
        raise OutboundError("cut off")
    if received.encoded:
        raise OutboundError("a content encoding that was not asked for")
    body = b"".join(received.chunks)
    return OutboundResponse(parser.get_status_code(), received.content_type, body)
