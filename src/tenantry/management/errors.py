"""Errors: refusals that the caller can mend become `UserError`, faults are masked."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.utils.str_converters import to_camel_case

from tenantry.core.errors import Contended, DomainError, ErrorCode, Overloaded
from tenantry.management.codes import RequestCode
from tenantry.management.types.enums import describe_enum

_log = logging.getLogger(__name__)

describe_enum(
    ErrorCode,
    "Why a mutation was refused.",
    {
        ErrorCode.REQUIRED: "A field that must have a value has none.",
        ErrorCode.INVALID: "The value has the wrong form.",
        ErrorCode.TOO_LONG: "The text has more characters than allowed.",
        ErrorCode.TOO_MANY: "The list has more entries than allowed.",
        ErrorCode.OUT_OF_RANGE: "The number or the length is outside its limits.",
        ErrorCode.ALREADY_EXISTS: "Another object already has this name or identifier.",
        ErrorCode.NOT_FOUND: (
            "There is no such object in this tenant. Unknown, foreign and malformed ids all get "
            "this code."
        ),
        ErrorCode.NOT_ALLOWED: "The object's other settings or its nature forbid the change.",
        ErrorCode.IMMUTABLE: "The field never changes once the object exists.",
        ErrorCode.CONFLICT: "The object is at another revision than the one that was expected.",
        ErrorCode.IN_USE: "Other objects still depend on this one.",
        ErrorCode.PLAN_STALE: (
            "The tenant or the document has changed since the plan. The message has both hashes, "
            "`planHash` of the payload the one of now."
        ),
        ErrorCode.IDEMPOTENCY_KEY_REUSED: (
            "The `Idempotency-Key` was sent before with another document or other variables, or to "
            "another release of the server."
        ),
    },
    name="UserErrorCode",
)


@strawberry.type(description="A refusal that the caller can mend. Nothing was changed.")
class UserError:
    code: ErrorCode = strawberry.field(description="The kind of the refusal, for programs.")
    field: list[str] = strawberry.field(
        description=(
            "The path to the field inside the input, list positions as numbers in text; empty "
            "where no field is to blame."
        )
    )
    message: str = strawberry.field(description="The refusal in English, for people.")
    current_revision: int | None = strawberry.field(
        description="With CONFLICT, the revision that the object has now; otherwise null.",
        default=None,
    )


def user_error(error: DomainError) -> UserError:
    return UserError(
        code=error.code,
        field=[to_camel_case(name) for name in error.field],
        message=error.message,
        current_revision=error.current_revision,
    )


def request_error(code: RequestCode, message: str, **details: Any) -> GraphQLError:
    """A top-level error: a missing permission or something wrong with the document."""
    return GraphQLError(message, extensions={"code": code, **details})


def published(errors: Iterable[GraphQLError], correlation_id: str) -> list[GraphQLError]:
    """The errors that a caller may see; a fault is logged and loses its text."""
    return [_published(error, correlation_id) for error in errors]


def _published(error: GraphQLError, correlation_id: str) -> GraphQLError:
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, Contended):
        return GraphQLError(
            "Others changed the same objects at the same time. Nothing was done; try again.",
            nodes=error.nodes,
            path=error.path,
            extensions={"code": "CONTENDED", "retryAfter": cause.retry_after},
        )
    if isinstance(cause, Overloaded):
        raise cause
    if cause is None or isinstance(cause, GraphQLError):
        if not (error.extensions or {}).get("code"):
            error.extensions = {**(error.extensions or {}), "code": "BAD_REQUEST"}
        return error
    _log.error("fault at %s, request %s", error.path, correlation_id, exc_info=cause)
    return GraphQLError(
        "Internal error",
        nodes=error.nodes,
        path=error.path,
        extensions={"code": "INTERNAL", "correlationId": correlation_id},
    )
