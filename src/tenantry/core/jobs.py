"""Bulk work: what jobs there are, which scopes each needs, and how much a job may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

UPLOAD_LIFETIME = timedelta(hours=1)
RETENTION = timedelta(days=7)
"""How long the results are kept after the end."""
MAX_UNFINISHED = 20
"""Jobs of one tenant that wait or run at a time."""
CHUNK_LINES = 100
"""Lines of one transaction, where failed ones are skipped."""
WHOLE_BYTES = 16 * 1024 * 1024
_WHOLE_IMPORT_LINES, _WHOLE_LINES = 10_000, 1_000


class JobKind(StrEnum):
    USER_IMPORT = "user_import"
    USER_UPDATE = "user_update"
    USER_DELETE = "user_delete"
    USER_EXPORT = "user_export"
    APPLICATION_CREATE = "application_create"
    APPLICATION_UPDATE = "application_update"
    APPLICATION_DELETE = "application_delete"
    CLIENT_GRANT_CREATE = "client_grant_create"
    CLIENT_GRANT_UPDATE = "client_grant_update"
    CLIENT_GRANT_DELETE = "client_grant_delete"
    GRANT_DELETE = "grant_delete"

    @property
    def has_upload(self) -> bool:
        return self is not JobKind.USER_EXPORT


class JobState(StrEnum):
    """The last three are ends."""

    WAITING = "waiting"
    UPLOADING = "uploading"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


class ErrorPolicy(StrEnum):
    ALL_OR_NOTHING = "all_or_nothing"
    SKIP_FAILED = "skip_failed"


SCOPES: Mapping[JobKind, str] = {
    JobKind.USER_IMPORT: "create:users",
    JobKind.USER_UPDATE: "update:users",
    JobKind.USER_DELETE: "delete:users",
    JobKind.USER_EXPORT: "read:users",
    JobKind.APPLICATION_CREATE: "create:applications",
    JobKind.APPLICATION_UPDATE: "update:applications",
    JobKind.APPLICATION_DELETE: "delete:applications",
    JobKind.CLIENT_GRANT_CREATE: "create:client_grants",
    JobKind.CLIENT_GRANT_UPDATE: "update:client_grants",
    JobKind.CLIENT_GRANT_DELETE: "delete:client_grants",
    JobKind.GRANT_DELETE: "delete:grants",
}
"""What the mutation of one such line needs; who starts or reads the job needs it too."""


def scopes_of_job(kind: JobKind, *, upsert: bool) -> frozenset[str]:
    """Whoever may change the users that it finds must be allowed to."""
    return frozenset({SCOPES[kind], *(("update:users",) if upsert else ())})


def most_lines_as_a_whole(kind: JobKind, *, upsert: bool) -> int:
    """How many lines one transaction takes without keeping other writers waiting for long."""
    simple = kind is JobKind.USER_IMPORT and not upsert
    return _WHOLE_IMPORT_LINES if simple else _WHOLE_LINES


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """A job. `done` counts the lines that were carried out, `failed` those that were refused."""

    id: str
    created_at: datetime
    kind: JobKind
    state: JobState
    error_policy: ErrorPolicy
    connection: str | None
    upsert: bool
    actor_id: str
    total: int | None
    done: int
    failed: int
    error: str | None
    upload_expires_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningJob:
    """A job as the process has it that runs it: for whom, under which lease, how far it is."""

    id: str
    kind: JobKind
    error_policy: ErrorPolicy
    connection: str | None
    upsert: bool
    scopes: tuple[str, ...]
    actor_kind: str
    actor_id: str
    actor_name: str
    actor_tenant_id: str
    client_id: str
    ip: str
    user_agent: str
    request_id: str
    lease: str
    attempts: int
    done: int
    last_user_id: str | None
