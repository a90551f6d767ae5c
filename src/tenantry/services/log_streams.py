"""Log streams: making, changing, removing them; sending again what was given up."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import timedelta

from tenantry.core.errors import DomainError, ErrorCode, not_found
from tenantry.core.log_streams import LogStreamFacts, LogStreamFailureFacts
from tenantry.rules.fields import checked, with_defaults
from tenantry.rules.log_streams import LOG_STREAM_FIELDS, MAX_STREAMS
from tenantry.services.changes import record_change
from tenantry.services.commands import Patch, Values
from tenantry.store import log_stream_failures, log_streams, outbox
from tenantry.store.audit import Event, record
from tenantry.store.unit_of_work import TenantSession

REDELIVERY = "log_stream_redelivery"
"""The kind of message in the outbox that sends a batch again."""
_REDELIVERY_LASTS = timedelta(hours=3)
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class MadeLogStream:
    """A stream with the secret that was made for it, which is shown now and never again."""

    log_stream: LogStreamFacts
    secret: str | None


def new_secret() -> str:
    """In the form that libraries for Standard Webhooks take."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def create(db: TenantSession, command: Values) -> MadeLogStream:
    values = with_defaults(LOG_STREAM_FIELDS, command)
    if log_streams.count(db) >= MAX_STREAMS:
        raise DomainError(ErrorCode.TOO_MANY, f"A tenant has at most {MAX_STREAMS} log streams.")
    secret = new_secret()
    row_id = log_streams.create(db, values, secret)
    record_change(db, "log_stream.created", ("LogStream", row_id), after=values)
    return MadeLogStream(_require(db, row_id), secret)


def update(db: TenantSession, patch: Patch) -> LogStreamFacts:
    current = _require(db, patch.id)
    values = checked(LOG_STREAM_FIELDS, patch.values)
    log_streams.change(db, current, values, patch.expected_revision)
    record_change(db, "log_stream.updated", ("LogStream", current.id), before=current, after=values)
    return _require(db, current.id)


def rotate_secret(db: TenantSession, patch: Patch) -> MadeLogStream:
    """Signs with a new secret from now on."""
    current = _require(db, patch.id)
    secret = new_secret()
    values = {"secret": log_streams.envelope(db, current.id, secret)}
    log_streams.change(db, current, values, patch.expected_revision)
    record_change(db, "log_stream.secret_rotated", ("LogStream", current.id))
    return MadeLogStream(_require(db, current.id), secret)


def delete(db: TenantSession, patch: Patch) -> str:
    """Sends no more, and forgets the batches that were given up. Returns the id."""
    current = _require(db, patch.id)
    log_streams.delete(db, current, patch.expected_revision)
    record_change(db, "log_stream.deleted", ("LogStream", current.id))
    return current.id


def redeliver(db: TenantSession, id: str) -> LogStreamFailureFacts:
    """Lets a batch that was given up be sent once more, with the tries that any message has."""
    found = log_stream_failures.find(db, id)
    if found is None:
        raise not_found("failed batch")
    if not log_stream_failures.begin_redelivery(db, id, db.now + _REDELIVERY_LASTS):
        raise DomainError(ErrorCode.NOT_ALLOWED, "The batch is being sent again already.", "id")
    outbox.enqueue(db, REDELIVERY, {"failure_id": id})
    record(
        db,
        Event(
            "log_stream.redelivery_requested", target_type="LogStream", target_id=found.stream_id
        ),
    )
    return log_stream_failures.find(db, id) or found


def _require(db: TenantSession, id: str) -> LogStreamFacts:
    found = log_streams.find(db, id)
    if found is None:
        raise not_found("log stream")
    return found
