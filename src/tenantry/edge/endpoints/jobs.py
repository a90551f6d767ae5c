"""`/jobs/{id}/upload` and `/jobs/{id}/results`: the lines of bulk work, up and down."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from tenantry.core.context import Caller
from tenantry.core.ids import GlobalId
from tenantry.core.jobs import SCOPES
from tenantry.edge.parse import query_parameters
from tenantry.edge.render import NO_STORE, json_response
from tenantry.services.jobs import UploadRefused, receive
from tenantry.services.management_access import TenantGone, authorize
from tenantry.services.request import request_context
from tenantry.services.runtime import Runtime
from tenantry.store import job_chunks, jobs
from tenantry.tokens.verify import InvalidToken

PREFIX = "/jobs/"
_SILENCE_SECONDS = 60
_LONGEST_SECONDS = 3600


def methods(path: str) -> Mapping[str, Callable[[Request], Awaitable[Response]]] | None:
    """What can be done at a path below `/jobs/`."""
    _, _, what = path.removeprefix(PREFIX).partition("/")
    if what == "upload":
        return {"POST": upload, "PUT": upload}
    return {"GET": results} if what == "results" else None


def _local_id(request: Request) -> str:
    """A local id that nobody has where the address names no job of this tenant."""
    id_ = request.scope["path"].removeprefix(PREFIX).partition("/")[0]
    decoded = GlobalId.decode(id_)
    tenant_id = request_context(request.scope).address.tenant_id
    ours = decoded is not None and (decoded.type, decoded.tenant_id) == ("Job", tenant_id)
    return decoded.local_id if decoded and ours else ""


async def upload(request: Request) -> Response:
    """The secret in the address is all that is needed; it works once."""
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        return _refusal(415, "Send the lines as they are, not compressed.")
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        return _refusal(415, "Send the lines alone, not as a form.")
    token = query_parameters(request).get("token") or ""
    try:
        total = await receive(
            runtime,
            context.address.tenant_id,
            context.caller(),
            _local_id(request),
            token,
            _parts(request),
        )
    except UploadRefused as refusal:
        return _refusal(404 if refusal.gone else 400, refusal.message)
    except (TimeoutError, ClientDisconnect):
        return _refusal(408, "The upload broke off.")
    return json_response({"lines": total}, 202, NO_STORE)


async def _parts(request: Request) -> AsyncIterator[bytes]:
    stream, now = request.stream(), asyncio.get_running_loop().time
    end = now() + _LONGEST_SECONDS
    while True:
        async with asyncio.timeout_at(min(now() + _SILENCE_SECONDS, end)):
            part = await anext(stream, None)
        if part is None:
            return
        yield part


async def results(request: Request) -> Response:
    """For who may do what the job did. The first call alone shows the secrets that were made."""
    runtime: Runtime = request.scope["tenantry.runtime"]
    context = request_context(request.scope)
    scheme, _, unverified_token = request.headers.get("authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise InvalidToken("no bearer token")
        asked_by = await authorize(runtime, context, unverified_token.strip())
    except (InvalidToken, TenantGone):
        challenge = {"WWW-Authenticate": "Bearer"} | NO_STORE
        return json_response({"error": "invalid_token"}, 401, challenge)
    caller, tenant_id = context.caller(asked_by.actor), context.address.tenant_id
    job = await runtime.store.read(tenant_id, caller, jobs.find, _local_id(request))
    if job is None:
        return json_response({"error": "not_found"}, 404, NO_STORE)
    if SCOPES[job.kind] not in asked_by.scopes:
        return json_response(
            {"error": "insufficient_scope", "scope": SCOPES[job.kind]}, 403, NO_STORE
        )
    if job.finished_at is None:
        return _refusal(409, "The job is not over yet.")
    shows_secrets = request.method == "GET" and await runtime.store.write(
        tenant_id, caller, jobs.claim_secrets, job.id
    )
    lines = _results(runtime, tenant_id, caller, job.id, shows_secrets=shows_secrets)
    return StreamingResponse(lines, 200, NO_STORE, "application/jsonl")


async def _results(
    runtime: Runtime, tenant_id: str, caller: Caller, job_id: str, *, shows_secrets: bool
) -> AsyncIterator[bytes]:
    store, number = runtime.store, -1
    while found := await store.read(tenant_id, caller, job_chunks.results, job_id, number):
        number, lines = found
        secrets = b""
        if shows_secrets:
            secrets = await store.write(tenant_id, caller, job_chunks.take_secrets, job_id, number)
        yield (_with_secrets(lines, secrets) if secrets else lines) + b"\n"


def _with_secrets(lines: bytes, secrets: bytes) -> bytes:
    by_line: dict[str, str] = json.loads(secrets)
    shown = []
    for text in lines.split(b"\n"):
        result = json.loads(text)
        secret = by_line.get(str(result["line"]))
        shown.append(json.dumps(result | ({"clientSecret": secret} if secret else {})))
    return "\n".join(shown).encode()


def _refusal(status: int, description: str) -> Response:
    return json_response(
        {"error": "invalid_request", "error_description": description}, status, NO_STORE
    )
