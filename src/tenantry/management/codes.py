"""The codes of errors that are not of one mutation's payload: `extensions.code`."""

from __future__ import annotations

from typing import Literal

RequestCode = Literal[
    # Nothing ran.
    "ACCESS_DENIED",
    "ALIAS_LIMIT",
    "BAD_REQUEST",
    "BATCH_REFUSED",
    "BODY_TOO_LARGE",
    "COST_LIMIT",
    "DEPTH_LIMIT",
    "DIRECTIVE_LIMIT",
    "DOCUMENT_LIMIT",
    "FIELD_LIMIT",
    "FRAGMENT_LIMIT",
    "INVALID_DOCUMENT",
    "INVALID_JSON",
    "INVALID_TEXT",
    "JSON_DEPTH",
    "METHOD_NOT_ALLOWED",
    "NOT_FOUND",
    "OVERLOADED",
    "PERSISTED_QUERY_NOT_FOUND",
    "ROOT_FIELD_LIMIT",
    "SUBSCRIPTION_LIMIT",
    "SYNTAX",
    "THROTTLED",
    "UNAUTHENTICATED",
    "UNSUPPORTED_MEDIA_TYPE",
    "UNTRUSTED_DOCUMENT",
    # One field was not answered.
    "BAD_CURSOR",
    "CONTENDED",
    "FORBIDDEN",
    "INTERNAL",
]
