"""Bulk work: which process carries out which job, a few of them at a time."""

from __future__ import annotations

import asyncio
import logging

from tenantry.core.context import SYSTEM, Caller
from tenantry.core.jobs import JobState
from tenantry.jobs.bulk_lines import LineFormat
from tenantry.jobs.bulk_run import LEASE_SECONDS, Run, note
from tenantry.services.runtime import Runtime
from tenantry.store import dispatch, job_chunks, jobs
from tenantry.store.unit_of_work import INSTALLATION, TenantSession

_AT_ONCE = 2
_INTERVAL = 1.0
_log = logging.getLogger(__name__)


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
            tenant_id, Caller(SYSTEM), jobs.claim_run, id, LEASE_SECONDS
        )
        if job is not None:
            await Run(runtime, format_, tenant_id, job).run()
    except Exception:
        _log.exception("job %s failed, and is tried again when its lease is over", id)


def _expire(db: TenantSession, id: str, state: JobState) -> None:
    waited = state is JobState.WAITING
    error = "Nothing was uploaded in time." if waited else "The upload broke off."
    if jobs.expire(db, id, error):
        job_chunks.forget_lines(db, id)
        note(db, "job.failed", id, error=error)
