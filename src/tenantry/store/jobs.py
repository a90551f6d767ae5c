"""Jobs: who may upload, who runs them, how far they are. Each step is one conditional update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from tenantry.core.ids import new_id
from tenantry.core.jobs import RETENTION, JobFacts, JobKind, JobState, RunningJob
from tenantry.store import pages, records
from tenantry.store.pages import Page, PageRequest
from tenantry.store.rows import to_facts, to_row
from tenantry.store.tables import jobs
from tenantry.store.unit_of_work import TenantSession

UPLOAD_PURPOSE = "job upload"


def create(db: TenantSession, values: Mapping[str, Any]) -> str:
    """`values` name what the other columns do not begin with. Returns the id."""
    row_id = new_id()
    begun = {
        "attempts": 0,
        "done": 0,
        "failed": 0,
        "due_at": values["upload_expires_at"] or db.now,
        "created_at": db.now,
        "expires_at": db.now + RETENTION,
    }
    row = {**begun, **to_row(values), "tenant_id": db.tenant_id, "id": row_id}
    db.connection.execute(insert(jobs), [row])
    return row_id


def find(db: TenantSession, id: str) -> JobFacts | None:
    row = records.find_row(db, jobs, id=id)
    return to_facts(JobFacts, row) if row else None


def page(
    db: TenantSession,
    request: PageRequest,
    kinds: Sequence[JobKind],
    state: JobState | None = None,
) -> Page[JobFacts]:
    return pages.fetch_page(db, jobs, _conditions(db, kinds, state), request, JobFacts)


def count(db: TenantSession, kinds: Sequence[JobKind], state: JobState | None = None) -> int:
    return pages.count(db, jobs, _conditions(db, kinds, state))


def _conditions(db: TenantSession, kinds: Sequence[JobKind], state: JobState | None) -> list[Any]:
    conditions: list[Any] = [
        jobs.c.tenant_id == db.tenant_id,
        jobs.c.kind.in_([kind.value for kind in kinds]),
    ]
    if state:
        conditions.append(jobs.c.state == state.value)
    return conditions


def count_unfinished(db: TenantSession) -> int:
    return db.connection.execute(
        select(func.count())
        .select_from(jobs)
        .where(jobs.c.tenant_id == db.tenant_id, jobs.c.finished_at.is_(None))
    ).scalar_one()


def claim_upload(db: TenantSession, id: str, token: str, seconds: int) -> str | None:
    """The lease of who presents the secret of the upload first, and in time."""
    lease = new_id()
    claimed = _change(
        db,
        id,
        [
            jobs.c.state == JobState.WAITING.value,
            jobs.c.upload_digest.in_(db.vault.digests(token, UPLOAD_PURPOSE)),
            jobs.c.upload_expires_at > db.now,
        ],
        state=JobState.UPLOADING.value,
        upload_digest=None,
        lease=lease,
        due_at=db.now + timedelta(seconds=seconds),
    )
    return lease if claimed else None


def enqueue(db: TenantSession, id: str, lease: str, total: int) -> bool:
    """Everything is here; any process may run it. False where the upload lost its lease."""
    held = [jobs.c.state == JobState.UPLOADING.value, jobs.c.lease == lease]
    return _change(
        db, id, held, state=JobState.QUEUED.value, lease=None, total=total, due_at=db.now
    )


def claim_run(db: TenantSession, id: str, seconds: int) -> RunningJob | None:
    """The job, for the one process that runs it until the lease ends."""
    lease = new_id()
    claimed = _change(
        db,
        id,
        [
            jobs.c.state.in_([JobState.QUEUED.value, JobState.RUNNING.value]),
            jobs.c.due_at <= db.now,
        ],
        state=JobState.RUNNING.value,
        lease=lease,
        due_at=db.now + timedelta(seconds=seconds),
        attempts=jobs.c.attempts + 1,
        started_at=func.coalesce(jobs.c.started_at, db.now),
    )
    if not claimed:
        return None
    row = records.find_row(db, jobs, id=id)
    return to_facts(RunningJob, row) if row else None


def hold(db: TenantSession, id: str, lease: str, seconds: int) -> bool:
    """Renews a lease; False where it is lost, such as to a cancellation."""
    due_at = db.now + timedelta(seconds=seconds)
    return _change(db, id, [jobs.c.lease == lease, jobs.c.finished_at.is_(None)], due_at=due_at)


def advance(
    db: TenantSession,
    id: str,
    lease: str,
    done: int,
    failed: int = 0,
    last_user_id: str | None = None,
) -> bool:
    """Counts lines in the transaction that does them; False where the lease is lost.

    A success starts the attempts anew: they count those that came to nothing. An export is at
    `last_user_id` now; what it has is all that it knows of.
    """
    reached: dict[str, Any] = {}
    if last_user_id:
        reached = {"last_user_id": last_user_id, "total": jobs.c.done + done}
    return _change(
        db,
        id,
        [jobs.c.lease == lease, jobs.c.state == JobState.RUNNING.value],
        done=jobs.c.done + done,
        failed=jobs.c.failed + failed,
        attempts=1,
        **reached,
    )


def finish(
    db: TenantSession, id: str, lease: str, state: JobState, error: str | None = None
) -> bool:
    return _end(db, id, [jobs.c.lease == lease], state, error)


def expire(db: TenantSession, id: str, error: str) -> bool:
    """Ends a job that nothing was uploaded to in time, or whose upload broke off."""
    states = [JobState.WAITING.value, JobState.UPLOADING.value]
    return _end(db, id, [jobs.c.state.in_(states), jobs.c.due_at <= db.now], JobState.FAILED, error)


def cancel(db: TenantSession, id: str) -> bool:
    """Takes the lease of whoever works at it; what is done stays."""
    return _end(db, id, [], JobState.CANCELED, None)


def claim_secrets(db: TenantSession, id: str) -> bool:
    """Whether this is the one time that the job's secrets are shown."""
    return _change(
        db,
        id,
        [jobs.c.secrets_shown_at.is_(None), jobs.c.finished_at.is_not(None)],
        secrets_shown_at=db.now,
    )


def _end(
    db: TenantSession, id: str, conditions: Sequence[Any], state: JobState, error: str | None
) -> bool:
    return _change(
        db,
        id,
        [jobs.c.finished_at.is_(None), *conditions],
        state=state.value,
        error=error,
        lease=None,
        upload_digest=None,
        finished_at=db.now,
        expires_at=db.now + RETENTION,
    )


def _change(db: TenantSession, id: str, conditions: Sequence[Any], **values: Any) -> bool:
    return bool(
        db.connection.execute(
            update(jobs)
            .where(jobs.c.tenant_id == db.tenant_id, jobs.c.id == id, *conditions)
            .values(**values)
        ).rowcount
    )
