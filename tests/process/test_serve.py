"""`tenantry serve` as an operator sees it."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL

import httpx2
import pytest

from tests.process.server import (
    AUDIENCE,
    CREATE_API,
    Machine,
    Server,
    create_machine,
    environment,
    free_port,
    run,
    serving,
    wait_until_ready,
)


def test_first_start_tells_where_the_credentials_are_and_the_second_makes_nothing(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (data_dir / "notes.txt").write_text("somebody else's file")
    env = environment(data_dir, free_port())
    del env["TENANTRY_BOOTSTRAP_CLIENT_SECRET"], env["TENANTRY_BOOTSTRAP_ADMIN_PASSWORD"]

    with serving(env) as server:
        said = server.log.read_text()
        credentials = data_dir / "bootstrap-credentials.env"
        assert str(credentials) in said
        assert f"http://localhost:{server.port}/graphql" in said
        secrets = re.findall(r"(?m)^TENANTRY_\w+=(\S+)$", credentials.read_text())
        assert len(secrets) == 4
        assert not any(secret in said for secret in secrets if len(secret) >= 32)
        for name in ("bootstrap-credentials.env", "encryption.key", "tenantry.db"):
            assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o600
        email, password, client_id, client_secret = secrets
        assert email
        assert password
        answer = server.token(client_id, client_secret, f"{server.public_url}/graphql")
        assert answer.status_code == 200
        assert server.stop() < 10

    began = time.monotonic()
    with serving(env):
        assert time.monotonic() - began < 10
    assert (data_dir / "notes.txt").read_text() == "somebody else's file"


def test_every_process_stays_in_the_group_and_ends_with_sigterm(tmp_path: Path) -> None:
    with serving(environment(tmp_path / "data", free_port())) as server:
        group = [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and _group_of(int(entry.name)) == server.process.pid
        ]
        assert len(group) >= 3  # the parent and two workers
        assert server.stop() < 10
        assert not [
            pid for pid in group if Path(f"/proc/{pid}/cmdline").exists() and _group_of(pid)
        ]


def _group_of(pid: int) -> int | None:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state[0] == "Z" else int(state[2])


def _hammer(
    server: Server, machine: Machine, answered: Counter[str], stop: threading.Event
) -> None:
    with httpx2.Client(timeout=10, headers={"host": f"localhost:{server.port}"}) as client:
        while not stop.is_set():
            try:
                response = client.post(
                    f"{server.local_url}/oauth/token",
                    data={
                        "grant_type": "client_credentials",
                        "client_id": machine.client_id,
                        "client_secret": machine.client_secret,
                        "audience": AUDIENCE,
                    },
                )
            except httpx2.TransportError:
                return
            if response.status_code == 200:
                answered[machine.client_id] += 1


def test_every_answered_token_has_its_audit_row_after_kill_9_under_load(
    tmp_path: Path,
) -> None:
    env = environment(tmp_path / "data", free_port())
    answered: Counter[str] = Counter()
    with serving(env) as server:
        server.graphql(CREATE_API, identifier=AUDIENCE)
        machines = [create_machine(server, f"machine {number}") for number in range(6)]
        stop = threading.Event()
        threads = [
            threading.Thread(target=_hammer, args=(server, machine, answered, stop))
            for machine in machines
        ]
        for thread in threads:
            thread.start()
        time.sleep(2)
        server.stop(SIGKILL)
        stop.set()
        for thread in threads:
            thread.join(15)

    with serving(env) as server:
        wait_until_ready(server)
        connection = sqlite3.connect(tmp_path / "data" / "tenantry.db")
        rows = dict(
            connection.execute(
                "SELECT client_id, count(*) FROM log_events WHERE type = 'token.issued' "
                "GROUP BY client_id"
            ).fetchall()
        )
        connection.close()
    assert sum(answered.values()) > 100
    for machine in machines:
        # At most the one request that was under way when the server died was not answered.
        assert answered[machine.client_id] <= rows[machine.client_id]
        assert rows[machine.client_id] <= answered[machine.client_id] + 1


def _within_a_second(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 1
    while not check():
        assert time.monotonic() < deadline, "the other process did not follow within a second"
        time.sleep(0.02)


def test_two_processes_on_one_database_follow_each_other_within_a_second(tmp_path: Path) -> None:
    _follow_each_other(environment(tmp_path / "data", free_port(), TENANTRY_WORKERS="1"))


def _follow_each_other(env: dict[str, str], *arguments: str) -> None:
    public_url = f"http://localhost:{env['TENANTRY_PORT']}"
    other_env = env | {"TENANTRY_PORT": str(free_port()), "TENANTRY_PUBLIC_URL": public_url}
    with serving(env, *arguments) as one, serving(other_env) as other:
        assert other.public_url == one.public_url
        one.graphql(CREATE_API, identifier=AUDIENCE)
        # The other process has remembered that there is no such application.
        assert other.token("unknown", "x", AUDIENCE).status_code == 401
        machine = create_machine(one, "made at the first")

        def status(secret: str) -> int:
            return other.token(machine.client_id, secret, AUDIENCE).status_code

        _within_a_second(lambda: status(machine.client_secret) == 200)

        rotated = one.graphql(
            "mutation($id: ID!) { applicationSecretRotate(input: {id: $id}) {"
            " clientSecret errors { message } } }",
            id=machine.id,
        )["applicationSecretRotate"]["clientSecret"]
        _within_a_second(lambda: status(machine.client_secret) == 401)
        assert status(rotated) == 200

        one.graphql(
            "mutation($id: ID!) { applicationUpdate(input: {id: $id, grantTypes: []}) {"
            " application { id } errors { message } } }",
            id=machine.id,
        )
        _within_a_second(lambda: status(rotated) == 400)

        one.graphql(
            "mutation($id: ID!) { applicationDelete(input: {id: $id}) {"
            " deletedId errors { message } } }",
            id=machine.id,
        )
        _within_a_second(lambda: status(rotated) == 401)


@pytest.mark.postgresql
def test_two_processes_on_postgresql_follow_each_other_and_migrate_only_when_told(
    tmp_path: Path, postgresql_url: str
) -> None:
    env = environment(
        tmp_path / "data", free_port(), TENANTRY_WORKERS="1", TENANTRY_DATABASE_URL=postgresql_url
    )
    refused = run("serve", env=env)
    assert refused.returncode == 1
    assert "tenantry migrate" in refused.stderr
    _follow_each_other(env, "--migrate")


def test_metrics_are_on_a_port_of_their_own_and_sum_over_the_processes(tmp_path: Path) -> None:
    metrics_port = free_port()
    env = environment(tmp_path / "data", free_port(), TENANTRY_METRICS_PORT=str(metrics_port))
    with serving(env) as server:
        for _ in range(20):
            httpx2.get(f"{server.local_url}/.well-known/jwks.json", timeout=5)
        text = httpx2.get(f"http://127.0.0.1:{metrics_port}/metrics", timeout=5).text
        wanted = 'method="GET",route="/.well-known/jwks.json",status="200"'
        line = next(line for line in text.splitlines() if wanted in line)
        assert float(line.rpartition(" ")[2]) == 20
        inside = httpx2.get(
            f"{server.local_url}/metrics", headers={"host": f"localhost:{server.port}"}, timeout=5
        )
        assert inside.status_code == 404


def test_log_lines_are_json_one_a_request_with_its_id(tmp_path: Path) -> None:
    env = environment(tmp_path / "data", free_port(), TENANTRY_LOG_FORMAT="json")
    with serving(env) as server:
        answer = server.token("tenantry-bootstrap", "wrong secret", "x")
        server.stop()
        request_id = answer.headers["x-request-id"]
        lines = [line for line in server.log.read_text().splitlines() if request_id in line]
    assert len(lines) == 1
    entry = json.loads(lines[0])
    assert (entry["path"], entry["status"], entry["method"]) == ("/oauth/token", 401, "POST")
    assert "wrong secret" not in lines[0]
