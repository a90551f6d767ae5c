"""What can be read of bulk work: the jobs of the kinds that the caller could ask for."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import strawberry

from tenantry.core.jobs import SCOPES, JobFacts, JobKind, JobState
from tenantry.management.connections import After, Before, First, Last, ListOf, PageArguments
from tenantry.management.context import Info, ManagementContext
from tenantry.management.fields import field
from tenantry.management.ids import local_id
from tenantry.management.listing import ORDER, Id, filter_argument, listed
from tenantry.management.mutations.inputs import sent
from tenantry.management.orders import NEWEST_FIRST, OLDEST_FIRST
from tenantry.management.permissions import require_scopes
from tenantry.management.types.common import setting
from tenantry.management.types.job import Job
from tenantry.store import jobs

ANY_JOB = tuple(dict.fromkeys(SCOPES.values()))
"""One of these is enough to see some jobs."""


@strawberry.enum(description="How jobs are ordered.")
class JobOrder(Enum):
    CREATED_AT_ASC = strawberry.enum_value("created_at asc", description=OLDEST_FIRST)
    CREATED_AT_DESC = strawberry.enum_value("created_at desc", description=NEWEST_FIRST)


_ABOUT = {"kind": "Only jobs of this kind.", "state": "Only jobs in this state."}


@strawberry.input(description="Which jobs. All that is given must hold.")
class JobFilter:
    kind: JobKind | None = setting(_ABOUT, "kind")
    state: JobState | None = setting(_ABOUT, "state")


async def find_job(context: ManagementContext, id: str) -> JobFacts | None:
    """The job by its global id, for who has the scope of its kind."""
    facts = await context.read(jobs.find, local_id("Job", context.tenant_id, id))
    if facts is not None:
        require_scopes(context, ((SCOPES[facts.kind],),))
    return facts


@strawberry.type
class JobQueries:
    @field("A job by its id. It needs the scope of its kind.", *ANY_JOB)
    async def job(self, info: Info, id: Id) -> Job | None:
        facts = await find_job(info.context, id)
        return Job.of(facts, info.context.request.address) if facts else None

    @field("The jobs of the kinds whose scope the caller has.", *ANY_JOB)
    async def jobs(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        criteria: Annotated[JobFilter | None, filter_argument("jobs")] = None,
        order_by: Annotated[JobOrder, ORDER] = JobOrder.CREATED_AT_ASC,
    ) -> ListOf[Job] | None:
        chosen, context = criteria or JobFilter(), info.context
        held, asked = context.administrator.scopes, sent(chosen.kind)
        kinds = [kind for kind in JobKind if SCOPES[kind] in held and asked in {None, kind}]
        return await listed(
            info,
            PageArguments(order_by, first, last, after, before),
            jobs.page,
            jobs.count,
            lambda facts: Job.of(facts, context.request.address),
            kinds=kinds,
            state=sent(chosen.state),
        )
