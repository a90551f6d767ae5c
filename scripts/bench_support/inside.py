"""The server inside this process: what one request takes of it, without a socket and a client."""

import asyncio
import gc
import json
import resource
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr
from sqlalchemy import event

from bench_support.server import BenchError
from tenantry.app import Application, create_runtime
from tenantry.core.context import SYSTEM, Caller
from tenantry.keys.signing import generate_private_key
from tenantry.services import bootstrap
from tenantry.settings import Settings
from tenantry.store import installation, migrate
from tenantry.store.unit_of_work import INSTALLATION

PUBLIC_URL = "http://localhost:8000"
CLIENT_ID, CLIENT_SECRET = "tenantry-bench", "the-secret-of-the-benchmark's-application"


@dataclass(frozen=True)
class Cost:
    """What one request took: the middle of several."""

    wall_ms: float
    cpu_ms: float
    statements: int


class Inside:
    """A server on a new database, its bootstrap application, and a count of its statements."""

    def __init__(self, database_url: str, folder: Path) -> None:
        settings = Settings(
            public_url=PUBLIC_URL,
            database_url=database_url,
            data_dir=folder / "data",
            encryption_key=(SecretStr("00" * 32),),
            rate_limit_factor=1000,
        )
        self.runtime = create_runtime(settings)
        self._application = Application(settings, self.runtime)
        self._loop = asyncio.new_event_loop()
        self._statements = 0
        self.database = self.runtime.store.database
        migrate.upgrade(self.database)
        values = bootstrap.Bootstrap("admin@example.com", "not used", CLIENT_ID, CLIENT_SECRET)
        self.write(
            INSTALLATION,
            bootstrap.bootstrap,
            self.runtime.addresses,
            values,
            generate_private_key,
        )
        root = self.runtime.store.read_now(INSTALLATION, Caller(SYSTEM), installation.find_root)
        if root is None:
            raise BenchError("the installation has no root tenant")
        self.root = root.id
        for engine in {self.database.engine, self.database._reader}:
            event.listen(engine, "before_cursor_execute", self._count)
        self._token = self._access_token()
        # As the server does when it starts.
        gc.collect()
        gc.freeze()

    def close(self) -> None:
        self._loop.run_until_complete(asyncio.to_thread(self.runtime.close))
        self._loop.close()

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            self._statements += 1

    def write(self, tenant_id: str, function: Any, *arguments: Any) -> Any:
        return self.runtime.store.write_now(tenant_id, Caller(SYSTEM), function, *arguments)

    def data(self, query: str, **variables: Any) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        answer = self._send("/graphql", json.dumps(body).encode(), "application/json")
        if answer.get("errors") or answer.get("data") is None:
            raise BenchError(f"/graphql answered {json.dumps(answer)[:2000]}")
        found: dict[str, Any] = answer["data"]
        return found

    def cost(self, query: str, several: Sequence[Mapping[str, Any]]) -> Cost:
        """The middle of requests with these variables, after two that warm up."""
        for variables in several[:2]:
            self.data(query, **variables)
        walls, computed, statements = [], [], []
        for variables in several:
            before, wall, cpu = self._statements, time.perf_counter(), time.process_time()
            self.data(query, **variables)
            walls.append((time.perf_counter() - wall) * 1000)
            computed.append((time.process_time() - cpu) * 1000)
            statements.append(self._statements - before)
        return Cost(
            statistics.median(walls),
            statistics.median(computed),
            round(statistics.median(statements)),
        )

    def _access_token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "audience": f"{PUBLIC_URL}/graphql",
        }
        self._token = ""
        kind = "application/x-www-form-urlencoded"
        return str(self._send("/oauth/token", urlencode(form).encode(), kind)["access_token"])

    def get(self, path: str) -> int:
        """The status of a GET."""
        status, _ = self._loop.run_until_complete(self._ask("GET", path, b"", []))
        return status

    def _send(self, path: str, body: bytes, kind: str) -> dict[str, Any]:
        headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
        if self._token:
            headers.append((b"authorization", f"Bearer {self._token}".encode()))
        status, answer = self._loop.run_until_complete(self._ask("POST", path, body, headers))
        if status != 200:
            raise BenchError(f"{path} answered {status}: {answer[:2000]!r}")
        found: dict[str, Any] = json.loads(answer)
        return found

    async def _ask(
        self, method: str, path: str, body: bytes, headers: list[tuple[bytes, bytes]]
    ) -> tuple[int, bytes]:
        """One ASGI request."""
        sent: list[Any] = []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", urlsplit(PUBLIC_URL).netloc.encode()), *headers],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._application(scope, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@contextmanager
def inside(database_url: str, folder: Path) -> Iterator[Inside]:
    server = Inside(database_url, folder)
    try:
        yield server
    finally:
        server.close()


def resident() -> float:
    """MiB of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
