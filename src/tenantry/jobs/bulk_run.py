"""Bulk work: the lines of a job, carried out in the background.

Law: a transaction that carries out lines also holds the lease of its job and keeps their results,
so that each line is done once, whoever is killed when. With ALL_OR_NOTHING all lines are read
first, outside any transaction, and one transaction does them all.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from tenantry.core.context import Actor, ActorKind, Caller, RequestFacts
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
from tenantry.store import job_chunks, jobs
from tenantry.store.audit import Event, record
from tenantry.store.unit_of_work import TenantSession

MAX_ATTEMPTS = 3
"""So many that came to nothing, one after the other, end a job."""
LEASE_SECONDS = 120
_FETCHED_AT_ONCE = 8
_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class _Part:
    """A chunk without its blank lines: the number of each line in the file, and what it asks."""

    chunk: int
    numbers: tuple[int, ...]
    commands: list[Read]


class LeaseLost(Exception):
    """Somebody canceled the job, or another process runs it."""


class Stopped(Exception):
    """Why a job cannot go on."""


class _Refused(Exception):
    """Some line of a whole was refused; the transaction is taken back."""

    def __init__(self, outcomes: Sequence[Sequence[Outcome]]) -> None:
        super().__init__("refused")
        self.outcomes = outcomes


def note(db: TenantSession, type: str, id: str, **details: object) -> None:
    """An event of the job itself."""
    record(db, Event(type, target_type="Job", target_id=id, details=details))


class Run:
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

    async def _part(self, number: int) -> _Part:
        scopes = await self._scopes()
        chunk = await self._read(job_chunks.find, self._job.id, number)
        if chunk is None:
            raise LeaseLost
        lines = {at: line for at, line in enumerate(chunk.lines, chunk.first_line) if line}
        commands = await self._runtime.store.in_thread(
            lambda: read_lines(self._format, self._job, self._tenant_id, scopes, lines.values())
        )
        return _Part(number, tuple(lines), await self._with_documents(commands))

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
            await self._write(self._do_part, await self._part(number))
            await asyncio.sleep(_PAUSE)  # Other writers get through here.
        await self._write(self._complete)

    def _do_part(self, db: TenantSession, part: _Part) -> None:
        self._hold(db)
        outcomes = self._apply(db, part.commands)
        self._keep(db, part, outcomes)
        failed = _failed(outcomes)
        jobs.advance(db, self._job.id, self._job.lease, len(outcomes) - failed, failed)

    async def _all_or_nothing(self) -> None:
        work: list[_Part] = []
        for number in await self._read(job_chunks.waiting, self._job.id):
            work.append(await self._part(number))
            await self._write(self._hold)
        refused: Sequence[Sequence[Outcome]] = [part.commands for part in work]
        if not any(_failed(outcomes) for outcomes in refused):
            try:
                await self._write(self._do_all, work)
            except _Refused as refusal:
                refused = refusal.outcomes
            else:
                return
        await self._write(self._refuse_all, work, refused)

    def _do_all(self, db: TenantSession, work: Sequence[_Part]) -> None:
        self._hold(db)
        all_outcomes = [self._apply(db, part.commands) for part in work]
        if any(_failed(outcomes) for outcomes in all_outcomes):
            raise _Refused(all_outcomes)
        for part, outcomes in zip(work, all_outcomes, strict=True):
            self._keep(db, part, outcomes)
        jobs.advance(db, self._job.id, self._job.lease, sum(map(len, all_outcomes)))
        self._complete(db)

    def _refuse_all(
        self, db: TenantSession, work: Sequence[_Part], refused: Sequence[Sequence[Outcome]]
    ) -> None:
        self._hold(db)
        for part, outcomes in zip(work, refused, strict=True):
            self._keep(db, part, outcomes, carried_out=False)
        failed = [
            number
            for part, outcomes in zip(work, refused, strict=True)
            for number, outcome in zip(part.numbers, outcomes, strict=True)
            if isinstance(outcome, DomainError)
        ]
        jobs.advance(db, self._job.id, self._job.lease, 0, len(failed))
        error = f"Nothing was done. Lines that were refused: {len(failed)}, at first {failed[0]}."
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
        if not jobs.hold(db, self._job.id, self._job.lease, LEASE_SECONDS):
            raise LeaseLost

    def _apply(self, db: TenantSession, commands: Sequence[Read]) -> list[Outcome]:
        try:
            return apply(db, self._addresses, self._job, commands)
        except DomainError as refusal:  # What the whole job names is gone.
            raise Stopped(refusal.message) from None

    def _keep(
        self,
        db: TenantSession,
        part: _Part,
        outcomes: Sequence[Outcome],
        *,
        carried_out: bool = True,
    ) -> None:
        results, secrets = written(
            self._format, self._tenant_id, part.numbers, outcomes, carried_out=carried_out
        )
        job_chunks.keep_results(db, self._job.id, part.chunk, results, secrets)

    def _complete(self, db: TenantSession) -> None:
        if not jobs.finish(db, self._job.id, self._job.lease, JobState.COMPLETED):
            raise LeaseLost
        note(db, "job.completed", self._job.id)


def _failed(outcomes: Sequence[Outcome]) -> int:
    return sum(isinstance(outcome, DomainError) for outcome in outcomes)
