"""Bulk work: asking for it, taking its lines in, cancelling it, and who it is done for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from tenantry.core.context import Caller
from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.ids import new_token
from tenantry.core.jobs import (
    CHUNK_LINES,
    MAX_UNFINISHED,
    UPLOAD_LIFETIME,
    WHOLE_BYTES,
    ErrorPolicy,
    JobFacts,
    JobKind,
    JobState,
    most_lines_as_a_whole,
)
from tenantry.core.limits import Limits
from tenantry.services.changes import record_change
from tenantry.services.runtime import Runtime
from tenantry.services.users import require_connection
from tenantry.store import job_chunks, jobs
from tenantry.store.audit import Event, record
from tenantry.store.job_chunks import Chunk
from tenantry.store.unit_of_work import TenantSession

CHUNK_BYTES = 262_144
_UPLOAD_LEASE_SECONDS = 120
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is asked for, and for whom: the token's application and its scopes."""

    kind: JobKind
    error_policy: ErrorPolicy
    client_id: str
    scopes: tuple[str, ...]
    connection: str | None = None
    upsert: bool = False


@dataclass(frozen=True, slots=True)
class MadeJob:
    """A job with the secret of its upload, which is shown now and never again."""

    job: JobFacts
    upload_token: str | None


def create(db: TenantSession, command: NewJob) -> MadeJob:
    _require_options(db, command)
    if jobs.count_unfinished(db) >= MAX_UNFINISHED:
        raise DomainError(
            ErrorCode.TOO_MANY, f"A tenant has at most {MAX_UNFINISHED} jobs that are not over."
        )
    uploads = command.kind.has_upload
    token = new_token() if uploads else None
    actor, request = db.caller.actor, db.caller.request
    asked = {
        "kind": command.kind,
        "error_policy": command.error_policy,
        "connection": command.connection,
        "upsert": command.upsert,
    }
    row_id = jobs.create(
        db,
        asked
        | {
            "state": JobState.WAITING if uploads else JobState.QUEUED,
            "scopes": tuple(sorted(command.scopes)),
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "actor_name": actor.name,
            "actor_tenant_id": actor.tenant_id,
            "client_id": command.client_id,
            "ip": request.ip,
            "user_agent": request.user_agent,
            "request_id": request.request_id,
            "upload_digest": db.vault.digest(token, jobs.UPLOAD_PURPOSE) if token else None,
            "upload_expires_at": db.now + UPLOAD_LIFETIME if uploads else None,
        },
    )
    record_change(db, "job.created", ("Job", row_id), after=asked)
    return MadeJob(_require(db, row_id), token)


def _require_options(db: TenantSession, command: NewJob) -> None:
    kind = command.kind
    if kind is JobKind.USER_IMPORT:
        require_connection(db, _given(command.connection))
    elif kind is JobKind.USER_EXPORT and command.connection is not None:
        require_connection(db, command.connection)
    elif command.connection is not None:
        raise DomainError(ErrorCode.NOT_ALLOWED, "Only users have a connection.", "connection")
    if command.upsert and kind is not JobKind.USER_IMPORT:
        raise DomainError(ErrorCode.NOT_ALLOWED, "Only an import may upsert.", "upsert")


def _given(connection: str | None) -> str:
    if connection is None:
        raise DomainError(ErrorCode.REQUIRED, "An import needs a connection.", "connection")
    return connection


def cancel(db: TenantSession, id: str) -> JobFacts:
    """What is done stays; nothing more is done."""
    current = _require(db, id)
    if not jobs.cancel(db, current.id):
        raise DomainError(ErrorCode.NOT_ALLOWED, "The job is over already.", "id")
    job_chunks.forget_lines(db, current.id)
    record_change(db, "job.canceled", ("Job", current.id))
    return _require(db, current.id)


def _require(db: TenantSession, id: str) -> JobFacts:
    found = jobs.find(db, id)
    if found is None:
        raise not_found("job")
    return found


class UploadRefused(Exception):
    """Why an upload is not taken; `gone` where its address does not work, or works no more."""

    def __init__(self, message: str, *, gone: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.gone = gone


async def receive(
    runtime: Runtime,
    tenant_id: str,
    caller: Caller,
    id: str,
    token: str,
    body: AsyncIterator[bytes],
) -> int:
    """Takes the lines in as they come, chunk by chunk. Returns how many there are.

    The address works once: a job whose upload was refused or broke off has failed.
    """
    store = runtime.store
    lease = await store.write(
        tenant_id, caller, jobs.claim_upload, id, token, _UPLOAD_LEASE_SECONDS
    )
    job = await store.read(tenant_id, caller, jobs.find, id)
    if lease is None or job is None:
        raise UploadRefused("There is no such upload, or it was used or is over.", gone=True)
    try:
        total = 0
        async for chunk in _chunks(body, _limits(store.limits, job)):
            if not await store.write(tenant_id, caller, _keep, id, lease, chunk):
                raise UploadRefused("The job was canceled.", gone=True)
            total += sum(map(bool, chunk.lines))
        if not total:
            raise UploadRefused("There is no line.")
    except UploadRefused as refusal:
        await store.write(tenant_id, caller, fail, id, lease, refusal.message)
        raise
    except BaseException:
        await store.write(tenant_id, caller, fail, id, lease, "The upload broke off.")
        raise
    if not await store.write(tenant_id, caller, jobs.enqueue, id, lease, total):
        raise UploadRefused("The job was canceled.", gone=True)
    return total


def _limits(limits: Limits, job: JobFacts) -> Limits:
    if job.error_policy is ErrorPolicy.SKIP_FAILED:
        return limits
    return Limits(
        job_bytes=min(limits.job_bytes, WHOLE_BYTES),
        job_lines=min(limits.job_lines, most_lines_as_a_whole(job.kind, upsert=job.upsert)),
        job_line_bytes=limits.job_line_bytes,
    )


async def _chunks(body: AsyncIterator[bytes], limits: Limits) -> AsyncIterator[Chunk]:
    """Lines in bounded memory: never more than a chunk, a line and what came at once.

    A blank one is kept in its place, so that the others have the numbers of the file.
    """
    lines: list[bytes] = []
    number, first, size = 0, 1, 0
    async for line in _lines(body, limits):
        lines.append(line)
        size += len(line)
        if first + len(lines) - 1 > limits.job_lines:
            raise UploadRefused(f"This job takes at most {limits.job_lines} lines.")
        if len(lines) == CHUNK_LINES or size >= CHUNK_BYTES:
            if any(lines):
                yield Chunk(number, first, tuple(lines))
                number += 1
            first, size, lines = first + len(lines), 0, []
    if any(lines):
        yield Chunk(number, first, tuple(lines))


async def _lines(body: AsyncIterator[bytes], limits: Limits) -> AsyncIterator[bytes]:
    received, rest, is_first = 0, b"", True
    too_long = f"A line has at most {limits.job_line_bytes} bytes."
    async for part in body:
        received += len(part)
        if received > limits.job_bytes:
            raise UploadRefused(f"This job takes at most {limits.job_bytes} bytes.")
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            if len(line) > limits.job_line_bytes:
                raise UploadRefused(too_long)
            yield _cleaned(line, is_first=is_first)
            is_first = False
        if len(rest) > limits.job_line_bytes:
            raise UploadRefused(too_long)
    if rest:
        yield _cleaned(rest, is_first=is_first)


def _cleaned(line: bytes, *, is_first: bool) -> bytes:
    return (line.removeprefix(_BOM) if is_first else line).strip()


def _keep(db: TenantSession, id: str, lease: str, chunk: Chunk) -> bool:
    if not jobs.hold(db, id, lease, _UPLOAD_LEASE_SECONDS):
        return False
    job_chunks.add(db, id, chunk)
    return True


def fail(db: TenantSession, id: str, lease: str, error: str) -> bool:
    """Ends a job that did not get to its end; False where somebody else has it."""
    if not jobs.finish(db, id, lease, JobState.FAILED, error):
        return False
    job_chunks.forget_lines(db, id)
    record(db, Event("job.failed", target_type="Job", target_id=id, details={"error": error}))
    return True
