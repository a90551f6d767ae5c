"""The code flow as a load: wrk cannot follow a redirect, so these are plain sockets."""

import base64
import hashlib
import secrets
import selectors
import socket
import statistics
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from bench_support.load import Measured
from bench_support.people import REDIRECT_URI, People

Answer = tuple[int, bytes, bytes]
Flow = Generator[bytes, Answer, bool]
_RECEIVE = 65_536


@dataclass(frozen=True)
class Flows:
    """What the flows of a run took, and how many of them this client could drive alone."""

    measured: Measured
    ceiling: float


def code_flow(people: People, cookie: str) -> Flow:
    """From /authorize to both tokens, for a person with a session. Whether it succeeded."""
    verifier = secrets.token_urlsafe(32)
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    state = secrets.token_urlsafe(8)
    asked = {**people.authorization(), "state": state, "code_challenge": challenge}
    asked["nonce"] = secrets.token_urlsafe(8)
    status, head, _ = yield get(f"/authorize?{urlencode(asked)}", cookie)
    answered = parse_qs(urlsplit(location(head)).query)
    if status != 303 or answered.get("state") != [state] or "code" not in answered:
        return False
    form = {
        "grant_type": "authorization_code",
        "code": answered["code"][0],
        "redirect_uri": REDIRECT_URI,
        "code_verifier": verifier,
        "client_id": people.application.client_id,
        "client_secret": people.application.client_secret,
    }
    status, _, body = yield post("/oauth/token", urlencode(form))
    return status == 200 and b'"id_token"' in body and b'"refresh_token"' in body


def get(target: str, cookie: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: {{host}}\r\nCookie: {cookie}\r\n\r\n".encode()


def post(path: str, form: str, headers: Mapping[str, str] | None = None) -> bytes:
    more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    return (
        f"POST {path} HTTP/1.1\r\nHost: {{host}}\r\nContent-Length: {len(form)}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\n{more}\r\n{form}"
    ).encode()


def location(head: bytes) -> str:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"location":
            return value.strip().decode()
    return ""


@dataclass
class _Connection:
    """One browser: a socket, the flow that it is in, and since when."""

    port: int
    make: Callable[[], Flow]
    socket: socket.socket
    began: float = 0.0
    flow: Flow | None = None
    received: bytes = b""
    seconds: list[float] = field(default_factory=list)
    errors: int = 0

    def begin(self) -> None:
        self.flow = self.make()
        self.began = time.perf_counter()
        self._send(next(self.flow))

    def _send(self, request: bytes) -> None:
        host = f"127.0.0.1:{self.port}".encode()
        self.socket.sendall(request.replace(b"{host}", host, 1))

    def receive(self) -> None:
        self.received += self.socket.recv(_RECEIVE)
        answer = _read(self.received)
        if answer is None or self.flow is None:
            return
        self.received = b""
        try:
            self._send(self.flow.send(answer))
        except StopIteration as end:
            self.seconds.append(time.perf_counter() - self.began)
            self.errors += not end.value
            self.begin()


def _read(received: bytes) -> Answer | None:
    """The answer, once it is there whole; every answer of this server has a length."""
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return None
    at = head.lower().find(b"\r\ncontent-length:")
    length = int(head[at + 17 :].partition(b"\r\n")[0]) if at >= 0 else 0
    return (int(head[9:12]), head, body) if len(body) >= length else None


def drive_flows(port: int, making: Sequence[Callable[[], Flow]], seconds: float) -> Flows:
    """A connection for each that makes flows, kept busy for so long."""
    selector = selectors.DefaultSelector()
    connections = []
    for make in making:
        opened = socket.create_connection(("127.0.0.1", port), timeout=10)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connections.append(_Connection(port, make, opened))
        selector.register(opened, selectors.EVENT_READ, connections[-1])
    began, used = time.perf_counter(), time.process_time()
    for connection in connections:
        connection.begin()
    while (elapsed := time.perf_counter() - began) < seconds:
        for key, _ in selector.select(0.1):
            key.data.receive()
    used = time.process_time() - used
    selector.close()
    taken = sorted(each for connection in connections for each in connection.seconds)
    for connection in connections:
        connection.socket.close()
    return _flows(taken, sum(connection.errors for connection in connections), elapsed, used)


def _flows(taken: list[float], errors: int, elapsed: float, used: float) -> Flows:
    percentiles = statistics.quantiles(taken, n=100) if len(taken) > 1 else [0.0] * 99
    measured = Measured(
        requests=len(taken),
        requests_per_second=len(taken) / elapsed,
        p50_ms=percentiles[49] * 1000,
        p99_ms=percentiles[98] * 1000,
        max_ms=max(taken, default=0.0) * 1000,
        errors=errors,
    )
    return Flows(measured, len(taken) / used if used else 0.0)
