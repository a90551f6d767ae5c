"""Bulk work over HTTP: asking, uploading, running, and reading the results."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import httpx2

from tenantry.jobs import bulk
from tests.support.management import Api, Json
from tests.support.server import Server

DATABASE = "Username-Password-Authentication"
JOB = "id state total done failed error resultsUrl"


def run_jobs(server: Server) -> None:
    """Runs what is due, as the background does."""
    server.portal.call(bulk.run, server.runtime, server.application.lines)


def lines(items: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


def ask(api: Api, kind: str, **values: Any) -> Json:
    """A new job: its id and the address of its upload."""
    given = {"kind": kind, "errorPolicy": "SKIP_FAILED"} | values
    if kind == "USER_IMPORT":
        given = {"connection": DATABASE} | given
    payload = api.do("jobCreate", f"job {{ {JOB} }} uploadUrl", given)
    made: Json = payload["job"] | {"uploadUrl": payload["uploadUrl"]}
    return made


def upload(api: Api, job: Json, content: bytes, **headers: str) -> httpx2.Response:
    return api.tenant.server.client.put(job["uploadUrl"], content=content, headers=headers)


def state(api: Api, job: Json) -> Json:
    found: Json = api.data(f"query($id: ID!) {{ job(id: $id) {{ {JOB} }} }}", id=job["id"])["job"]
    return found


def results_of(api: Api, job: Json) -> list[Json]:
    """What became of each line."""
    response = download(api, job)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/jsonl"
    assert response.headers["cache-control"] == "no-store"
    return [json.loads(line) for line in response.text.splitlines()]


def download(api: Api, job: Json) -> httpx2.Response:
    authorization = {"authorization": f"Bearer {api.token}"} if api.token else {}
    url = api.tenant.url(f"jobs/{job['id']}/results")
    return api.tenant.server.client.get(url, headers=authorization)


def done(api: Api, kind: str, content: Iterable[Any] | bytes, **values: Any) -> Json:
    """A job that was uploaded to and ran: how it stands."""
    job = ask(api, kind, **values)
    body = content if isinstance(content, bytes) else lines(content)
    response = upload(api, job, body)
    assert response.status_code == 202, response.text
    run_jobs(api.tenant.server)
    return state(api, job)
