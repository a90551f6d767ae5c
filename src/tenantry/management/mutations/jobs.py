"""Bulk work: asking for it, and cancelling it."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tenantry.core.jobs import ErrorPolicy, JobFacts, JobKind, scopes_of_job
from tenantry.management.context import Info
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.job_queries import ANY_JOB, find_job
from tenantry.management.mutations.inputs import ID_ABOUT, SENT, sent
from tenantry.management.mutations.payloads import Payload, object_field
from tenantry.management.mutations.unit import run
from tenantry.management.permissions import require_scopes
from tenantry.management.types.common import described, setting
from tenantry.management.types.job import ABOUT, Job
from tenantry.services import jobs
from tenantry.services.jobs import MadeJob, NewJob


@strawberry.input(description="Bulk work to be done.")
class JobCreateInput:
    kind: JobKind = described(ABOUT, "kind")
    error_policy: ErrorPolicy = described(ABOUT, "error_policy")
    connection: str | None = setting(ABOUT, "connection")
    upsert: bool | None = setting(ABOUT, "upsert")


@strawberry.input(description="A job to end.")
class JobCancelInput:
    id: strawberry.ID = strawberry.field(description=ID_ABOUT)


@strawberry.type(description="The answer to `jobCreate`.")
class JobCreatePayload(Payload):
    job: Job | None = object_field("job")
    upload_url: str | None = strawberry.field(
        description=(
            "Where the lines are sent, once and within an hour, by a POST or PUT without an access "
            "token: "
            "JSON objects in UTF-8, one a line, at most 65536 bytes each by default, not "
            "compressed. Keep it secret. Null for a job that takes no lines."
        )
    )


@strawberry.type(description="The answer to `jobCancel`.")
class JobCancelPayload(Payload):
    job: Job | None = object_field("job")


@strawberry.type
class JobMutations:
    @field(
        "Asks for bulk work, and gets the address that its lines are uploaded to. It needs the "
        "scopes of the mutation that each line stands for; they are looked at again when the "
        "lines are carried out. A tenant has at most 20 jobs that are not over.",
        *ANY_JOB,
    )
    async def job_create(
        self, info: Info, input: Annotated[JobCreateInput, SENT]
    ) -> JobCreatePayload | None:
        context, upsert = info.context, bool(sent(input.upsert))
        require_scopes(context, (tuple(sorted(scopes_of_job(input.kind, upsert=upsert))),))
        asked_by = context.administrator
        command = NewJob(
            input.kind,
            input.error_policy,
            asked_by.client_id,
            tuple(asked_by.scopes),
            sent(input.connection),
            upsert,
        )
        outcome = await run(info, MadeJob, jobs.create, command)
        made, address = outcome.value, context.request.address
        job = Job.of(made.job, address) if made else None
        url = None
        if job and made and made.upload_token:
            url = f"{address.issuer}jobs/{job.id}/upload?token={made.upload_token}"
        return JobCreatePayload(job=job, upload_url=url, errors=outcome.errors)

    @field(
        "Ends a job. What it has done stays, and is in its results. It needs the scope of the "
        "job's kind.",
        *ANY_JOB,
    )
    async def job_cancel(
        self, info: Info, input: Annotated[JobCancelInput, SENT]
    ) -> JobCancelPayload | None:
        context = info.context
        await find_job(context, input.id)
        id_ = local_id("Job", context.tenant_id, input.id)
        outcome = await run(info, JobFacts, jobs.cancel, id_)
        job = Job.of(outcome.value, context.request.address) if outcome.value else None
        return JobCancelPayload(job=job, errors=outcome.errors)
