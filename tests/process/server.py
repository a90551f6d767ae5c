"""A real server in processes of its own, and what its operator would do with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tenantry import cli

TENANTRY = Path(sys.executable).parent / "tenantry"
SECRET = "a-bootstrap-secret-of-forty-characters-00"
PASSWORD = "correct horse battery staple"
EMAIL = "admin@example.com"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data_dir: Path, port: int, **more: str) -> dict[str, str]:
    """The caller's environment without its settings, and with these."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TENANTRY_")}
    return kept | {
        "TENANTRY_DATA_DIR": str(data_dir),
        "TENANTRY_PORT": str(port),
        "TENANTRY_WORKERS": "2",
        "TENANTRY_BOOTSTRAP_CLIENT_SECRET": SECRET,
        "TENANTRY_BOOTSTRAP_ADMIN_EMAIL": EMAIL,
        "TENANTRY_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
        **more,
    }


_forks = multiprocessing.get_context("forkserver")
# What most commands import, once for all that are run.
_forks.set_forkserver_preload(["tenantry.cli", "tenantry.first_start", "tenantry.doctor"])


def run(*arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """One command of `tenantry`, to its end, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder, "stdout"), Path(folder, "stderr")
        process = _forks.Process(target=_command, args=(arguments, dict(env), *files))
        process.start()
        process.join(60)
        if process.exitcode is None:
            process.kill()
            raise AssertionError(f"{arguments} does not end: {files[1].read_text()}")
        return subprocess.CompletedProcess(
            arguments, process.exitcode, *(file.read_text() for file in files)
        )


def _command(arguments: Sequence[str], env: Mapping[str, str], stdout: Path, stderr: Path) -> None:
    os.environ.clear()
    os.environ.update(env)
    for descriptor, path in ((1, stdout), (2, stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    cli.app(list(arguments), prog_name="tenantry")


@dataclass
class Server:
    """A started server, and a client of its management API."""

    process: subprocess.Popen[str]
    port: int
    public_url: str
    log: Path
    _token: str = field(default="")

    @property
    def local_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def post(self, path: str, host: str = "", **arguments: Any) -> httpx2.Response:
        headers = {"host": host or self.public_url.partition("://")[2]}
        headers |= arguments.pop("headers", {})
        return httpx2.post(self.local_url + path, headers=headers, timeout=30, **arguments)

    def token(self, client_id: str, client_secret: str, audience: str) -> httpx2.Response:
        return self.post(
            "/oauth/token",
            data={
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_secret": client_secret,
                "audience": audience,
            },
        )

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an operation of the bootstrap application; every error fails the test."""
        if not self._token:
            answer = self.token("tenantry-bootstrap", SECRET, f"{self.public_url}/graphql")
            self._token = answer.json()["access_token"]
        response = self.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {self._token}"},
        )
        body = response.json()
        assert response.status_code == 200, body
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        for payload in data.values():
            assert not (isinstance(payload, dict) and payload.get("errors")), payload
        return data

    def stop(self, kind: signal.Signals = signal.SIGTERM) -> float:
        """Seconds from the signal to the end of every process of the group."""
        began = time.monotonic()
        if kind is signal.SIGKILL:
            os.killpg(self.process.pid, kind)
        else:
            self.process.send_signal(kind)
        self.process.wait(20)
        while _group_lives(self.process.pid) and time.monotonic() - began < 20:
            time.sleep(0.05)
        return time.monotonic() - began


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def serving(env: Mapping[str, str], *arguments: str) -> Iterator[Server]:
    """A server that answers, in a process group of its own; ended whatever happens."""
    port = int(env["TENANTRY_PORT"])
    log = Path(env["TENANTRY_DATA_DIR"]).parent / f"server-{port}-{time.monotonic_ns()}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        process = subprocess.Popen(
            [TENANTRY, "serve", *arguments],
            env=dict(env),
            stdout=output,
            stderr=output,
            text=True,
            start_new_session=True,
        )
    public_url = env.get("TENANTRY_PUBLIC_URL", f"http://localhost:{port}")
    server = Server(process, port, public_url, log)
    try:
        wait_until_ready(server)
        yield server
    finally:
        if _group_lives(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


def wait_until_ready(server: Server, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise AssertionError(f"the server ended:\n{server.log.read_text()}")
        try:
            if httpx2.get(f"{server.local_url}/readyz", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the server does not answer:\n{server.log.read_text()}")


CREATE_API = """mutation($identifier: String!) {
  resourceServerCreate(input: {name: "Orders", identifier: $identifier,
    scopes: [{value: "read:orders"}, {value: "write:orders"}]}) {
    resourceServer { id identifier } errors { message } } }"""
CREATE_APPLICATION = """mutation($name: String!) {
  applicationCreate(input: {name: $name, applicationType: MACHINE_TO_MACHINE}) {
    application { id clientId } clientSecret errors { message } } }"""
CREATE_GRANT = """mutation($clientId: String!, $audience: String!) {
  clientGrantCreate(input: {clientId: $clientId, audience: $audience,
    scopes: ["read:orders"], subjectType: CLIENT}) {
    clientGrant { id scopes } errors { message } } }"""
AUDIENCE = "https://orders.example"


@dataclass(frozen=True)
class Machine:
    """A machine-to-machine application that may read orders."""

    id: str
    client_id: str
    client_secret: str


def create_machine(server: Server, name: str) -> Machine:
    made = server.graphql(CREATE_APPLICATION, name=name)["applicationCreate"]
    client_id = made["application"]["clientId"]
    server.graphql(CREATE_GRANT, clientId=client_id, audience=AUDIENCE)
    return Machine(made["application"]["id"], client_id, made["clientSecret"])
