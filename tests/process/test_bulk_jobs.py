"""A job whose process is killed goes on in the next one where it was."""

from __future__ import annotations

import json
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import update

from tenantry.store import tables
from tenantry.store.database import Database
from tests.process.server import Server, environment, free_port, serving

LINES = 1500
ASK = """mutation($input: JobCreateInput!) {
  jobCreate(input: $input) { job { id } uploadUrl errors { message } } }"""
STATE = "query($id: ID!) { job(id: $id) { state done failed resultsUrl } }"
IMPORT = {
    "kind": "USER_IMPORT",
    "errorPolicy": "SKIP_FAILED",
    "connection": "Username-Password-Authentication",
}


def follow(server: Server, id: str, until: str) -> dict[str, Any]:
    """Waits for a state; RUNNING is waited for until something is done."""
    job: dict[str, Any] = {}
    for _ in range(1000):
        job = server.graphql(STATE, id=id)["job"]
        if job["state"] == until and job["done"]:
            return job
        time.sleep(0.02)
    raise AssertionError(job)


def test_a_killed_process_loses_no_line_and_repeats_none(tmp_path: Path) -> None:
    folder = tmp_path / ".tenantry"
    env = environment(folder, free_port(), TENANTRY_WORKERS="1")
    content = b"".join(b'{"email": "p%d@example.com"}\n' % number for number in range(LINES))
    with serving(env) as server:
        made = server.graphql(ASK, input=IMPORT)["jobCreate"]
        id_ = made["job"]["id"]
        assert httpx2.post(made["uploadUrl"], content=content).status_code == 202
        follow(server, id_, "RUNNING")
        server.stop(signal.SIGKILL)
    database = Database(f"sqlite:///{folder / 'tenantry.db'}")
    with database.writing() as connection:
        # As if the lease of the killed process had come to its end.
        earlier = update(tables.jobs).values(due_at=datetime(2000, 1, 1, tzinfo=UTC))
        running = tables.jobs.c.state == "running"
        assert connection.execute(earlier.where(running)).rowcount == 1
        done = connection.execute(tables.jobs.select()).one().done
    database.close()
    assert 0 < done < LINES
    with serving(env) as server:
        job = follow(server, id_, "COMPLETED")
        assert (job["done"], job["failed"]) == (LINES, 0)
        counted = server.graphql("{ users(first: 1) { totalCount } }")["users"]["totalCount"]
        assert counted == LINES + 1
        headers = {"Authorization": f"Bearer {server._token}"}
        results = httpx2.get(job["resultsUrl"], headers=headers).text.splitlines()
        assert [json.loads(line)["line"] for line in results] == list(range(1, LINES + 1))
