"""Bulk work: the lines of a job, carried out in the background.

Law: a transaction that carries out lines also holds the lease of its job and keeps their results,
so that each line is done once, whoever is killed when. With ALL_OR_NOTHING all lines are read
first, outside any transaction, and one transaction does them all.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any, cast

from tenantry.core.context import SYSTEM, Actor, ActorKind, Caller, RequestFacts
from tenantry.core.errors import DomainError
from tenantry.core.jobs import (
    CHUNK_LINES,
    ErrorPolicy,
    JobKind,
    JobState,
    RunningJob,
    scopes_of_job,
)
from tenantry.jobs.bulk_lines import (
    FETCHING,
    LineFormat,
    Outcome,
    Read,
    apply,
    read_lines,
    with_document,
    written,
)
from tenantry.rules.addresses import Addresses
from tenantry.services import jobs as service
from tenantry.services.management_access import scopes_now
from tenantry.services.runtime import Runtime
from tenantry.services.user_export import export_page
from tenantry.store import dispatch, job_chunks, jobs
from tenantry.store.audit import Event, record
from tenantry.store.job_chunks import Chunk
from tenantry.store.unit_of_work import INSTALLATION, TenantSession

MAX_ATTEMPTS = 3
"""So many that came to nothing, one after the other, end a job."""
_AT_ONCE = 2
_INTERVAL = 1.0
_LEASE_SECONDS = 120
_FETCHED_AT_ONCE = 8
_PAUSE = 0.02
_log = logging.getLogger(__name__)
_Work = list[tuple[Chunk, list[Read]]]


class LeaseLost(Exception):
    """Somebody canceled the job, or another process runs it."""


class Stopped(Exception):
    """Why a job cannot go on."""


class _Refused(Exception):
    """Some line of a whole was refused; the transaction is taken back."""

    def __init__(self, outcomes: Sequence[Sequence[Outcome]]) -> None:
        super().__init__("refused")
        self.outcomes = outcomes


async def run_forever(runtime: Runtime, format_: LineFormat) -> None:
    """Runs what is due until cancelled, a few jobs at a time."""
    running: dict[tuple[str, str], asyncio.Task[None]] = {}
    try:
        while True:
            running = {key: task for key, task in running.items() if not task.done()}
            try:
                for tenant_id, id_, state in await _due(runtime):
                    key = (tenant_id, id_)
                    if key not in running and len(running) < _AT_ONCE:
                        running[key] = asyncio.create_task(
                            _attend(runtime, format_, tenant_id, id_, state)
                        )
            except Exception:
                _log.exception("jobs failed and are tried again in %d seconds", _INTERVAL)
            await asyncio.sleep(_INTERVAL)
    finally:
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)


async def run(runtime: Runtime, format_: LineFormat) -> int:
    """Runs until nothing is due. Returns how many times a job was attended to."""
    attended = 0
    while due := await _due(runtime):
        for tenant_id, id_, state in due:
            await _attend(runtime, format_, tenant_id, id_, state)
        attended += len(due)
    return attended


async def _due(runtime: Runtime) -> tuple[tuple[str, str, JobState], ...]:
    return await runtime.store.read(INSTALLATION, Caller(SYSTEM), dispatch.due_jobs, 2 * _AT_ONCE)


async def _attend(
    runtime: Runtime, format_: LineFormat, tenant_id: str, id: str, state: JobState
) -> None:
    try:
        if state in {JobState.WAITING, JobState.UPLOADING}:
            await runtime.store.write(tenant_id, Caller(SYSTEM), _expire, id, state)
            return
        job = await runtime.store.write(
            tenant_id, Caller(SYSTEM), jobs.claim_run, id, _LEASE_SECONDS
        )
        if job is not None:
            await _Run(runtime, format_, tenant_id, job).run()
    except Exception:
        _log.exception("job %s failed, and is tried again when its lease is over", id)


def _expire(db: TenantSession, id: str, state: JobState) -> None:
    waited = state is JobState.WAITING
    error = "Nothing was uploaded in time." if waited else "The upload broke off."
    if jobs.expire(db, id, error):
        job_chunks.forget_lines(db, id)
        _note(db, "job.failed", id, error=error)


def _note(db: TenantSession, type: str, id: str, **details: object) -> None:
    record(db, Event(type, target_type="Job", target_id=id, details=details))


class _Run:
    """One job under one lease."""

    def __init__(
        self, runtime: Runtime, format_: LineFormat, tenant_id: str, job: RunningJob
    ) -> None:
        self._runtime, self._format = runtime, format_
        self._tenant_id, self._job = tenant_id, job
        kind = cast("ActorKind", job.actor_kind)
        self._actor = Actor(kind, job.actor_id, job.actor_name, job.actor_tenant_id)
        facts = RequestFacts(job.request_id, job.ip, job.user_agent)
        self._caller = Caller(self._actor, facts)
        self._addresses: Addresses = runtime.addresses

    async def run(self) -> None:
        job = self._job
        try:
            if job.attempts > MAX_ATTEMPTS:
                raise Stopped("The server could not carry it out.")
            if job.kind is JobKind.USER_EXPORT:
                await self._export()
            elif job.error_policy is ErrorPolicy.ALL_OR_NOTHING:
                await self._all_or_nothing()
            else:
                await self._skipping_failed()
        except LeaseLost:
            return
        except Stopped as reason:
            await self._write(service.fail, job.id, job.lease, str(reason))
        except asyncio.CancelledError:
            # The process ends: another one may go on at once.
            await asyncio.shield(self._write(jobs.hold, job.id, job.lease, 0))
            raise

    async def _write(self, function: Any, *args: Any) -> Any:
        return await self._runtime.store.write(self._tenant_id, self._caller, function, *args)

    async def _read(self, function: Any, *args: Any) -> Any:
        return await self._runtime.store.read(self._tenant_id, self._caller, function, *args)

    async def _scopes(self) -> frozenset[str]:
        """What whoever asked for the job may do now."""
        job = self._job
        scopes = await scopes_now(
            self._runtime, self._tenant_id, self._actor, job.client_id, job.scopes
        )
        if not scopes_of_job(job.kind, upsert=job.upsert) <= scopes:
            raise Stopped("Whoever asked for the job may not do this any more.")
        return scopes

    async def _commands(self, number: int) -> tuple[Chunk, list[Read]]:
        scopes = await self._scopes()
        chunk = await self._read(job_chunks.find, self._job.id, number)
        if chunk is None:
            raise LeaseLost
        commands = await self._runtime.store.in_thread(
            lambda: read_lines(self._format, self._job, self._tenant_id, scopes, chunk.lines)
        )
        return chunk, await self._with_documents(commands)

    async def _with_documents(self, commands: list[Read]) -> list[Read]:
        if self._job.kind not in FETCHING:
            return commands
        complete: list[Read] = []
        for start in range(0, len(commands), _FETCHED_AT_ONCE):
            complete += await asyncio.gather(
                *(
                    with_document(self._runtime, self._tenant_id, self._caller, command)
                    for command in commands[start : start + _FETCHED_AT_ONCE]
                )
            )
            await self._write(self._hold)  # A slow server must not cost the lease.
        return complete

    async def _skipping_failed(self) -> None:
        for number in await self._read(job_chunks.waiting, self._job.id):
            chunk, commands = await self._commands(number)
            await self._write(self._do_chunk, chunk, commands)
            await asyncio.sleep(_PAUSE)  # Other writers get through here.
        await self._write(self._complete)

    def _do_chunk(self, db: TenantSession, chunk: Chunk, commands: list[Read]) -> None:
        self._hold(db)
        outcomes = self._apply(db, commands)
        self._keep(db, chunk, outcomes)
        failed = _failed(outcomes)
        jobs.advance(db, self._job.id, self._job.lease, len(outcomes) - failed, failed)

    async def _all_or_nothing(self) -> None:
        work: _Work = []
        for number in await self._read(job_chunks.waiting, self._job.id):
            work.append(await self._commands(number))
            await self._write(self._hold)
        refused: Sequence[Sequence[Outcome]] = [commands for _, commands in work]
        if not any(_failed(outcomes) for outcomes in refused):
            try:
                await self._write(self._do_all, work)
            except _Refused as refusal:
                refused = refusal.outcomes
            else:
                return
        await self._write(self._refuse_all, work, refused)

    def _do_all(self, db: TenantSession, work: _Work) -> None:
        self._hold(db)
        all_outcomes = [self._apply(db, commands) for _, commands in work]
        if any(_failed(outcomes) for outcomes in all_outcomes):
            raise _Refused(all_outcomes)
        for (chunk, _), outcomes in zip(work, all_outcomes, strict=True):
            self._keep(db, chunk, outcomes)
        jobs.advance(db, self._job.id, self._job.lease, sum(map(len, all_outcomes)))
        self._complete(db)

    def _refuse_all(
        self, db: TenantSession, work: _Work, refused: Sequence[Sequence[Outcome]]
    ) -> None:
        self._hold(db)
        for (chunk, _), outcomes in zip(work, refused, strict=True):
            self._keep(db, chunk, outcomes, carried_out=False)
        failed = sum(_failed(outcomes) for outcomes in refused)
        jobs.advance(db, self._job.id, self._job.lease, 0, failed)
        error = f"Nothing was done: {failed} lines were refused."
        service.fail(db, self._job.id, self._job.lease, error)

    async def _export(self) -> None:
        done, last = self._job.done, self._job.last_user_id
        # A page that is not full was the last one.
        while done % CHUNK_LINES == 0:
            await self._scopes()
            page = await self._write(self._do_page, done, last)
            if not page:
                break
            done, last = done + len(page), page[-1]["userId"]
            await asyncio.sleep(_PAUSE)
        await self._write(self._complete)

    def _do_page(self, db: TenantSession, done: int, last: str | None) -> list[dict[str, Any]]:
        self._hold(db)
        page = export_page(db, self._job.connection, last, CHUNK_LINES)
        if page:
            text = "\n".join(json.dumps(user) for user in page).encode()
            number = done // CHUNK_LINES
            job_chunks.add_results(db, self._job.id, number, done + 1, text)
            last = page[-1]["userId"]
            jobs.advance(db, self._job.id, self._job.lease, len(page), last_user_id=last)
        return page

    def _hold(self, db: TenantSession) -> None:
        if not jobs.hold(db, self._job.id, self._job.lease, _LEASE_SECONDS):
            raise LeaseLost

    def _apply(self, db: TenantSession, commands: Sequence[Read]) -> list[Outcome]:
        try:
            return apply(db, self._addresses, self._job, commands)
        except DomainError as refusal:  # What the whole job names is gone.
            raise Stopped(refusal.message) from None

    def _keep(
        self,
        db: TenantSession,
        chunk: Chunk,
        outcomes: Sequence[Outcome],
        *,
        carried_out: bool = True,
    ) -> None:
        results, secrets = written(
            self._format, self._tenant_id, chunk.first_line, outcomes, carried_out=carried_out
        )
        job_chunks.keep_results(db, self._job.id, chunk.number, results, secrets)

    def _complete(self, db: TenantSession) -> None:
        if not jobs.finish(db, self._job.id, self._job.lease, JobState.COMPLETED):
            raise LeaseLost
        _note(db, "job.completed", self._job.id)


def _failed(outcomes: Sequence[Outcome]) -> int:
    return sum(isinstance(outcome, DomainError) for outcome in outcomes)
