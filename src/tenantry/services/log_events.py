"""Events of the audit log as everybody outside is shown them: in the schema and in webhooks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tenantry.core.facts import LogEventFacts
from tenantry.core.ids import GlobalId

_UNDERSCORE = re.compile(r"_([a-z0-9])")
# What the audit log keeps no value of, by the names that inputs have for it.
_SECRETS = {"secret_digest": "clientSecret", "password_hash": "password"}


def published_event(facts: LogEventFacts, tenant_id: str) -> dict[str, Any]:
    """An event as JSON, with the names that the schema has for its fields."""
    return {
        "id": GlobalId("LogEvent", tenant_id, facts.id).encode(),
        "type": facts.type,
        "createdAt": _written(facts.created_at),
        "actorKind": facts.actor_kind.upper(),
        "actorId": facts.actor_id,
        "actorTenantId": facts.actor_tenant_id,
        "clientId": facts.client_id,
        "userId": facts.user_id,
        "targetType": facts.target_type,
        "targetId": published_target(facts, tenant_id),
        "ip": facts.ip,
        "userAgent": facts.user_agent,
        "requestId": facts.request_id,
        "details": published_details(facts.details),
    }


def published_target(facts: LogEventFacts, tenant_id: str) -> str | None:
    """The global id of what was changed."""
    if not facts.target_type or not facts.target_id:
        return None
    of_tenant = facts.target_id if facts.target_type == "Tenant" else tenant_id
    return GlobalId(facts.target_type, of_tenant, facts.target_id).encode()


def published_details(details: Mapping[str, Any]) -> dict[str, Any]:
    """Changes by the names of the schema."""
    changes = details.get("changes")
    if not isinstance(changes, Mapping):
        return dict(details)
    named = {_SECRETS.get(name) or camel(name): value for name, value in changes.items()}
    return {**details, "changes": named}


def camel(name: str) -> str:
    """A name as the schema has it."""
    return _UNDERSCORE.sub(lambda found: found[1].upper(), name)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
