"""Requests that the server makes itself: where they may go, how large, how long."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from anyio.from_thread import BlockingPortal

from tenantry.core.clock import Clock
from tenantry.outbound.addresses import is_public, parse_address
from tenantry.outbound.cache import DocumentCache
from tenantry.outbound.http import OutboundClient, OutboundError

T = TypeVar("T")
ACCEPT = "application/json"
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

INNER = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "::",
    "::1",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
]


@pytest.mark.parametrize("address", INNER)
def test_inner_addresses(address: str) -> None:
    assert not is_public(parse_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses(address: str) -> None:
    assert is_public(parse_address(address))


def fetch(portal: BlockingPortal, url: str, **options: Any) -> bytes:
    async def run() -> bytes:
        return await OutboundClient(**({"allow_private": False} | options)).get(url, ACCEPT)

    return portal.call(run)


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.215.14/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://user@example.com/",
        "https:///path",
        "https://exa mple.com/",
        "https://example.com:99999/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "",
    ],
)
def test_what_is_never_asked(
    portal: BlockingPortal, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Neither by another spelling of an address nor by another scheme."""

    async def connected(*_: object, **__: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(asyncio, "open_connection", connected)
    with pytest.raises(OutboundError):
        fetch(portal, url)


def test_http_is_for_loopback_alone(portal: BlockingPortal) -> None:
    for url in ("http://93.184.215.14/", "http://10.0.0.1/"):
        with pytest.raises(OutboundError):
            fetch(portal, url, allow_private=True)


def test_the_checked_address_is_the_one_that_is_asked(
    portal: BlockingPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No second look at the name (DNS rebinding); one inner address among others refuses all."""
    answers = [["93.184.215.14"], ["127.0.0.1"], ["93.184.215.14", "10.0.0.1"]]
    connected: list[str] = []

    async def resolve(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, 1, 6, "", (ip, 443)) for ip in answers.pop(0)]

    async def connect(host: str, port: int, **options: Any) -> None:
        connected.append(host)
        assert options["server_hostname"] == "keys.example.com"
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio, "open_connection", connect)

    async def run() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve, raising=False)
        client = OutboundClient(allow_private=False)
        for _ in range(3):
            with pytest.raises(OutboundError):
                await client.get("https://keys.example.com/", ACCEPT)
        monkeypatch.undo()

    portal.call(run)
    assert connected == ["93.184.215.14"]
    assert answers == []


def against(portal: BlockingPortal, answer: Answer, seconds: float = 0.5) -> bytes:
    """What the client takes from a server on loopback that answers like this."""

    async def run() -> bytes:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = OutboundClient(allow_private=True, total_seconds=seconds)
        try:
            return await client.get(f"http://127.0.0.1:{port}/path?x=1", ACCEPT)
        finally:
            server.close()

    return portal.call(run)


def raw(text: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        assert request.startswith(b"GET /path?x=1 HTTP/1.1\r\nHost: 127.0.0.1:")
        writer.write(text)
        writer.close()

    return answer


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n{}",
    ],
)
def test_good_answers(portal: BlockingPortal, text: bytes) -> None:
    """RFC 9112 §6.3: a length, chunks, or the end of the connection."""
    assert against(portal, raw(text)) == b"{}"


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 302 Found\r\nLocation: https://example.com/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200",
        b"nonsense\r\n\r\n",
        b"",
    ],
)
def test_bad_answers(portal: BlockingPortal, text: bytes) -> None:
    """No redirect is followed, nothing large is read, nothing cut off is taken."""
    with pytest.raises(OutboundError):
        against(portal, raw(text))


def test_a_slow_answer(portal: BlockingPortal) -> None:
    """The time is counted in all, however steadily the bytes come."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            writer.write(b"x")
            await asyncio.sleep(0.05)
        writer.close()

    began = time.monotonic()
    with pytest.raises(OutboundError):
        against(portal, drip, 0.3)
    assert time.monotonic() - began < 2


def test_no_more_than_sixteen_at_once(portal: BlockingPortal) -> None:
    current = most = 0

    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal current, most
        current += 1
        most = max(most, current)
        await asyncio.sleep(0.05)
        current -= 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(slow, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        client = OutboundClient(allow_private=True)
        await asyncio.gather(*(client.get(url, ACCEPT) for _ in range(40)))
        server.close()

    portal.call(run)
    assert most == 16


class _Counting(OutboundClient):
    """Counts what it is asked, and answers after a moment."""

    def __init__(self) -> None:
        super().__init__(allow_private=False)
        self.asked: list[str] = []

    async def get(self, url: str, accept: str) -> bytes:
        self.asked.append(url)
        await asyncio.sleep(0.01)
        if url.endswith("bad"):
            raise OutboundError("no")
        return b"{}"


def test_the_cache(portal: BlockingPortal) -> None:
    """One fetch for many who wait; tenants apart; failures asked again only after a while."""

    async def run() -> None:
        client, clock = _Counting(), Clock()
        cache = DocumentCache(client, clock)
        found = await asyncio.gather(*(cache.get("a", "u", ACCEPT) for _ in range(20)))
        assert found == ["{}"] * 20
        assert len(client.asked) == 1
        await cache.get("b", "u", ACCEPT)
        assert len(client.asked) == 2
        await cache.get_again("a", "u", ACCEPT)
        assert len(client.asked) == 2
        clock.advance(10)
        await cache.get_again("a", "u", ACCEPT)
        assert len(client.asked) == 3
        assert [await cache.get("a", "bad", ACCEPT) for _ in range(3)] == [None] * 3
        assert len(client.asked) == 4
        clock.advance(300)
        await cache.get("a", "u", ACCEPT)
        assert len(client.asked) == 5
        for number in range(1_100):
            cache._entries[("a", str(number))] = cache._entries[("a", "u")]
        await cache.get("c", "u", ACCEPT)
        assert len(cache._entries) == 1_000

    portal.call(run)
