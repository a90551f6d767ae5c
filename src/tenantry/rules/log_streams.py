"""What a log stream may be: a table of checked fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.log_streams import LogStreamStatus
from tenantry.rules.client_keys import fetched_url
from tenantry.rules.fields import Field, list_of, one_of, text

MAX_STREAMS = 20
MAX_TYPES = 50
_TYPE = re.compile(r"[a-z][a-z_]{0,63}\.(?:\*|[a-z][a-z_]{0,63})")


def event_type(value: Any, path: tuple[str, ...]) -> str:
    """A type, or all of one noun: `user.created`, `user.*`."""
    if not isinstance(value, str) or not _TYPE.fullmatch(value):
        raise DomainError(
            ErrorCode.INVALID, "Must be like user.created, or user.* for a whole noun.", *path
        )
    return value


LOG_STREAM_FIELDS: Mapping[str, Field] = {
    "name": Field(text(100, 1)),
    "url": Field(fetched_url),
    "event_types": Field(list_of(event_type, MAX_TYPES), ()),
    "status": Field(
        one_of(LogStreamStatus, (LogStreamStatus.ACTIVE, LogStreamStatus.PAUSED)),
        LogStreamStatus.ACTIVE,
    ),
}
