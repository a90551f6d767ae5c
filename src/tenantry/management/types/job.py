"""Jobs as the schema shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import strawberry

from tenantry.core.jobs import ErrorPolicy, JobFacts, JobKind, JobState
from tenantry.management.ids import global_id
from tenantry.management.types.common import Node, described, publish
from tenantry.management.types.enums import describe_enum
from tenantry.rules.addresses import TenantAddress

_LINE = "Each line is the `input` of `{}`."
describe_enum(
    JobKind,
    "What a job does with each line of what is uploaded. It needs the scopes of that mutation.",
    {
        JobKind.USER_IMPORT: (
            "Makes users with their password hashes. Each line is a `UserImportInput`."
        ),
        JobKind.USER_UPDATE: f"Changes users. {_LINE.format('userUpdate')}",
        JobKind.USER_DELETE: f"Deletes users. {_LINE.format('userDelete')}",
        JobKind.USER_EXPORT: (
            "Writes all users, or those of one connection, into the results: a line each, without "
            "the password. Nothing is uploaded. Needs the scope `read:users`."
        ),
        JobKind.APPLICATION_CREATE: (
            f"Registers applications. {_LINE.format('applicationCreate')}"
        ),
        JobKind.APPLICATION_UPDATE: f"Changes applications. {_LINE.format('applicationUpdate')}",
        JobKind.APPLICATION_DELETE: f"Deletes applications. {_LINE.format('applicationDelete')}",
        JobKind.CLIENT_GRANT_CREATE: (
            f"Lets applications ask APIs. {_LINE.format('clientGrantCreate')}"
        ),
        JobKind.CLIENT_GRANT_UPDATE: f"Changes client grants. {_LINE.format('clientGrantUpdate')}",
        JobKind.CLIENT_GRANT_DELETE: (
            f"Takes client grants back. {_LINE.format('clientGrantDelete')}"
        ),
        JobKind.GRANT_DELETE: f"Takes user grants back. {_LINE.format('grantDelete')}",
    },
)
describe_enum(
    JobState,
    "Where a job stands. The last three are ends.",
    {
        JobState.WAITING: "Nothing was uploaded yet.",
        JobState.UPLOADING: "The lines are coming in.",
        JobState.QUEUED: "The lines are here, and wait for a process.",
        JobState.RUNNING: "The lines are being carried out.",
        JobState.COMPLETED: "Every line was looked at; `failed` says how many were refused.",
        JobState.FAILED: "Something ended it before; `error` says what.",
        JobState.CANCELED: "Somebody ended it; what was done before stays.",
    },
)
describe_enum(
    ErrorPolicy,
    "What happens to the other lines where one is refused.",
    {
        ErrorPolicy.ALL_OR_NOTHING: (
            "Nothing is done. The job takes at most 16777216 bytes, and at most 10000 lines of a "
            "USER_IMPORT without `upsert` or 1000 lines of anything else."
        ),
        ErrorPolicy.SKIP_FAILED: (
            "They are carried out, a hundred at a time. By default at most 134217728 bytes and "
            "100000 lines; the operator decides."
        ),
    },
)

ABOUT: Mapping[str, str] = {
    "kind": "What it does with each line.",
    "error_policy": "What happens to the other lines where one is refused.",
    "connection": (
        "The name of the connection that users are imported to, or exported from. Required for "
        "USER_IMPORT; a USER_EXPORT without it writes all users."
    ),
    "upsert": (
        "Whether a USER_IMPORT changes the user that the connection has already, found by the "
        "email or, in a line without one, by the username. It needs the scope `update:users` too. "
        "Default false: such a line is refused."
    ),
}


@strawberry.type(description="Bulk work. It is removed with its results seven days after its end.")
class Job(Node):
    created_at: datetime = strawberry.field(description="When it was asked for.")
    kind: JobKind = described(ABOUT, "kind")
    state: JobState = strawberry.field(description="Where it stands.")
    error_policy: ErrorPolicy = described(ABOUT, "error_policy")
    connection: str | None = described(ABOUT, "connection")
    upsert: bool = described(ABOUT, "upsert")
    actor_id: str = strawberry.field(
        description="The client id or user id of whoever asked for it; its scopes count."
    )
    total: int | None = strawberry.field(
        description="How many lines there are; null until all are uploaded."
    )
    done: int = strawberry.field(description="How many lines were carried out.")
    failed: int = strawberry.field(description="How many lines were refused.")
    error: str | None = strawberry.field(description="Why it FAILED; otherwise null.")
    upload_expires_at: datetime | None = strawberry.field(
        description="Until when its upload address works; null where nothing is uploaded."
    )
    started_at: datetime | None = strawberry.field(
        description="When its lines began to be carried out; null if they did not."
    )
    finished_at: datetime | None = strawberry.field(
        description="When it came to its end; null before."
    )
    expires_at: datetime = strawberry.field(description="When it is removed with its results.")
    results_url: str | None = strawberry.field(
        description=(
            "Where a GET with an access token for this management API, with the scopes of the "
            "job, gets what became of each line, as JSON lines; null before the end. A line has "
            "`line` (its number in the file, blank ones counted), `status` (CREATED, UPDATED, "
            "DELETED, FAILED, or NOT_DONE where another line kept it from being done), `id` and "
            "`errors`. The first GET alone shows the client secrets that were made, as "
            "`clientSecret`."
        )
    )

    @classmethod
    def of(cls, facts: JobFacts, address: TenantAddress) -> Job:
        id_ = global_id("Job", address.tenant_id, facts.id)
        url = f"{address.issuer}jobs/{id_}/results" if facts.finished_at else None
        return publish(cls, facts, id=id_, results_url=url)
