"""Times as the schema writes them: RFC 3339, always in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import strawberry
from graphql import GraphQLError


def _written(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise GraphQLError("A time is written as in RFC 3339, with its offset: 2030-01-31T08:00:00Z.")


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="A moment as RFC 3339 writes it, in UTC. Input may have any offset, but needs one.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=_written,
    parse_value=_read,
)
