"""The nouns of a document whose settings are written as they are stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tenantry.core.log_streams import LogStreamStatus
from tenantry.rules.fields import Fields
from tenantry.rules.log_streams import LOG_STREAM_FIELDS
from tenantry.rules.nouns import CONNECTION_FIELDS, TENANT_FIELDS
from tenantry.rules.trusted_issuers import TRUSTED_ISSUER_FIELDS, agreeing
from tenantry.services import connections, log_streams, tenants, trusted_issuers
from tenantry.services.applications import require_tenant
from tenantry.services.commands import Patch
from tenantry.services.configuration import noun as base
from tenantry.services.configuration.audiences import is_audience
from tenantry.services.configuration.listing import everything
from tenantry.services.configuration.noun import Done, Existing, Noun, Values, Work
from tenantry.store import connections as connection_rows
from tenantry.store import log_streams as log_stream_rows
from tenantry.store import trusted_issuers as trusted_issuer_rows


def _existing(fields: Fields, facts: Any, **others: Any) -> Existing:
    values = {name: getattr(facts, name) for name in fields} | others
    return Existing(facts.id, facts.revision, values, facts)


def load_tenant(work: Work) -> Iterable[Existing]:
    """An API or a connection that is gone is no default."""
    tenant = require_tenant(work.db)
    gone: dict[str, None] = {}
    if tenant.default_audience is not None and not is_audience(work, tenant.default_audience):
        gone["default_audience"] = None
    names = {connection.name for connection in _connections(work)}
    if tenant.default_directory is not None and tenant.default_directory not in names:
        gone["default_directory"] = None
    yield _existing(TENANT_FIELDS, tenant, **gone)


def update_tenant(work: Work, current: Existing, given: Values) -> Done:
    tenants.update(work.db, work.addresses, Patch(current.id, given))
    return Done(current.id)


def _connections(work: Work) -> Any:
    if "connections" not in work.found:
        work.found["connections"] = everything(work.db, connection_rows.page)
    return work.found["connections"]


def load_connections(work: Work) -> Iterable[Existing]:
    for connection in _connections(work):
        yield _existing(CONNECTION_FIELDS, connection)


def create_connection(work: Work, given: Values) -> Done:
    return Done(connections.create(work.db, given).id)


def update_connection(work: Work, current: Existing, given: Values) -> Done:
    connections.update(work.db, Patch(current.id, given, current.revision))
    return Done(current.id)


def delete_connection(work: Work, current: Existing) -> object:
    return connections.delete(work.db, Patch(current.id, expected_revision=current.revision))


TRUSTED_ISSUER_SHAPES: Mapping[str, Any] = {"jwks": dict[str, Any]}


def load_trusted_issuers(work: Work) -> Iterable[Existing]:
    for issuer in everything(work.db, trusted_issuer_rows.page):
        jwks = json.loads(issuer.jwks) if issuer.jwks is not None else None
        yield _existing(TRUSTED_ISSUER_FIELDS, issuer, jwks=jwks)


def settle_trusted_issuer(noun: Noun, current: Existing | None, given: Values) -> dict[str, Any]:
    after = agreeing(base.settle(noun, current, given))
    if isinstance(after["jwks"], str):
        after["jwks"] = json.loads(after["jwks"])
    return after


def create_trusted_issuer(work: Work, given: Values) -> Done:
    return Done(trusted_issuers.create(work.db, given).id)


def update_trusted_issuer(work: Work, current: Existing, given: Values) -> Done:
    trusted_issuers.update(work.db, Patch(current.id, given, current.revision))
    return Done(current.id)


def delete_trusted_issuer(work: Work, current: Existing) -> object:
    return trusted_issuers.delete(work.db, Patch(current.id, expected_revision=current.revision))


def load_log_streams(work: Work) -> Iterable[Existing]:
    """A stream that the server holds is one that should be sent events."""
    for stream in everything(work.db, log_stream_rows.page):
        paused = stream.status is LogStreamStatus.PAUSED
        status = LogStreamStatus.PAUSED if paused else LogStreamStatus.ACTIVE
        yield _existing(LOG_STREAM_FIELDS, stream, status=status)


def secret_of_log_stream(current: Existing | None, after: Values) -> str | None:
    return "secret" if current is None else None


def create_log_stream(work: Work, given: Values) -> Done:
    made = log_streams.create(work.db, given)
    return Done(made.log_stream.id, made.secret)


def update_log_stream(work: Work, current: Existing, given: Values) -> Done:
    log_streams.update(work.db, Patch(current.id, given, current.revision))
    return Done(current.id)


def delete_log_stream(work: Work, current: Existing) -> object:
    return log_streams.delete(work.db, Patch(current.id, expected_revision=current.revision))
