"""Lines of jobs: each is carried out by the service that its mutation calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tenantry.core.context import Caller
from tenantry.core.errors import DomainError
from tenantry.core.ids import GlobalId
from tenantry.core.jobs import JobKind, RunningJob
from tenantry.rules.addresses import Addresses
from tenantry.services import applications, client_grants, consents, sectors, user_import, users
from tenantry.services.commands import ApplicationPatch, NewApplication
from tenantry.services.runtime import Runtime
from tenantry.services.user_import import Imported, ImportedUser
from tenantry.store.unit_of_work import TenantSession, savepoint


@dataclass(frozen=True, slots=True)
class LineFormat:
    """How lines are read and refusals written: as the schema does it.

    `read` takes the job, the tenant, the scopes of whoever asked and the line; a line that it
    refuses is a DomainError.
    """

    read: Callable[[RunningJob, str, frozenset[str], bytes], Any]
    refusal: Callable[[DomainError], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a line, and the secret that was made for it."""

    status: str
    type: str
    id: str
    secret: str | None = None


Outcome = Done | DomainError
Read = Any
"""A command, or the DomainError that refuses the line."""


def _created(command: applications.ApplicationWithSecret, status: str) -> Done:
    return Done(status, "Application", command.application.id, command.client_secret)


_Apply = Callable[[TenantSession, Addresses, Any], Done]
_APPLY: Mapping[JobKind, _Apply] = {
    JobKind.USER_UPDATE: lambda db, _, line: Done("UPDATED", "User", users.update(db, line).id),
    JobKind.USER_DELETE: lambda db, _, line: Done("DELETED", "User", users.delete(db, line)),
    JobKind.APPLICATION_CREATE: lambda db, _, line: _created(
        applications.create(db, line), "CREATED"
    ),
    JobKind.APPLICATION_UPDATE: lambda db, _, line: _created(
        applications.update(db, line), "UPDATED"
    ),
    JobKind.APPLICATION_DELETE: lambda db, _, line: Done(
        "DELETED", "Application", applications.delete(db, line)
    ),
    JobKind.CLIENT_GRANT_CREATE: lambda db, addresses, line: Done(
        "CREATED", "ClientGrant", client_grants.create(db, addresses, line).id
    ),
    JobKind.CLIENT_GRANT_UPDATE: lambda db, addresses, line: Done(
        "UPDATED", "ClientGrant", client_grants.update(db, addresses, line).id
    ),
    JobKind.CLIENT_GRANT_DELETE: lambda db, _, line: Done(
        "DELETED", "ClientGrant", client_grants.delete(db, line)
    ),
    JobKind.GRANT_DELETE: lambda db, _, line: Done("DELETED", "Grant", consents.delete(db, line)),
}


def read_lines(
    format_: LineFormat,
    job: RunningJob,
    tenant_id: str,
    scopes: frozenset[str],
    lines: Iterable[bytes],
) -> list[Read]:
    """Each line by itself, and every rule that needs no database."""
    return [_read(format_, job, tenant_id, scopes, line) for line in lines]


def _read(
    format_: LineFormat, job: RunningJob, tenant_id: str, scopes: frozenset[str], line: bytes
) -> Read:
    try:
        command = format_.read(job, tenant_id, scopes, line)
        if isinstance(command, ImportedUser) and not job.upsert:
            return replace(command, checked=users.new_values(command.user))
    except DomainError as refusal:
        return refusal
    return command


FETCHING = frozenset({JobKind.APPLICATION_CREATE, JobKind.APPLICATION_UPDATE})
"""The kinds whose lines may name documents elsewhere."""


async def with_document(runtime: Runtime, tenant_id: str, caller: Caller, command: Read) -> Read:
    """Fetches what an application names, which no transaction waits for."""
    if isinstance(command, NewApplication):
        sector = await sectors.fetch_for_new(runtime, tenant_id, command.values)
        return replace(command, sector=sector)
    if isinstance(command, ApplicationPatch):
        patch = command.patch
        sector = await sectors.fetch_for_change(runtime, tenant_id, caller, patch.id, patch.values)
        return replace(command, sector=sector)
    return command


def apply(
    db: TenantSession, addresses: Addresses, job: RunningJob, commands: Sequence[Read]
) -> list[Outcome]:
    """Carries out what can be, each line whole or not at all."""
    if job.kind is JobKind.USER_IMPORT:
        connection = users.require_connection(db, job.connection or "")
        if not job.upsert:
            return _merged(commands, lambda good: user_import.import_new(db, connection, good))
        return [
            _whole(db, line, lambda good: user_import.upsert(db, connection, good))
            for line in commands
        ]
    run = _APPLY[job.kind]
    return [_whole(db, line, lambda good: run(db, addresses, good)) for line in commands]


def _whole(db: TenantSession, line: Read, function: Callable[[Any], Done | Imported]) -> Outcome:
    if isinstance(line, DomainError):
        return line
    try:
        with savepoint(db):
            return _done(function(line))
    except DomainError as refusal:
        return refusal


def _merged(
    commands: Sequence[Read], run: Callable[[Sequence[Any]], Sequence[Imported | DomainError]]
) -> list[Outcome]:
    outcomes = iter(run([line for line in commands if not isinstance(line, DomainError)]))
    return [line if isinstance(line, DomainError) else _done(next(outcomes)) for line in commands]


def _done(outcome: Done | Imported | DomainError) -> Outcome:
    if isinstance(outcome, Imported):
        return Done("CREATED" if outcome.is_new else "UPDATED", "User", outcome.id)
    return outcome


def written(
    format_: LineFormat,
    tenant_id: str,
    numbers: Sequence[int],
    outcomes: Sequence[Outcome],
    *,
    carried_out: bool = True,
) -> tuple[bytes, bytes]:
    """Results as JSON lines, and the secrets by the number of the line."""
    lines, secrets = [], {}
    for number, outcome in zip(numbers, outcomes, strict=True):
        result: dict[str, Any] = {"line": number}
        if isinstance(outcome, DomainError):
            result |= {"status": "FAILED", "errors": [format_.refusal(outcome)]}
        elif not carried_out:
            result |= {"status": "NOT_DONE"}
        else:
            id_ = GlobalId(outcome.type, tenant_id, outcome.id).encode()
            result |= {"status": outcome.status, "id": id_}
            if outcome.secret:
                secrets[str(number)] = outcome.secret
        lines.append(json.dumps(result))
    return "\n".join(lines).encode(), json.dumps(secrets).encode() if secrets else b""
