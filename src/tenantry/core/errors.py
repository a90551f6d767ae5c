"""Refusals. They say what a caller may know; the edges turn them into HTTP or GraphQL."""

from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    """Why an operation on the management API was refused."""

    REQUIRED = "REQUIRED"
    INVALID = "INVALID"
    TOO_LONG = "TOO_LONG"
    TOO_MANY = "TOO_MANY"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    IMMUTABLE = "IMMUTABLE"
    CONFLICT = "CONFLICT"
    IN_USE = "IN_USE"
    PLAN_STALE = "PLAN_STALE"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"


class DomainError(Exception):
    """A refusal that the caller can mend. `field` is the path inside the input."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *field: str,
        current_revision: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.current_revision = current_revision


class RefusedForGood(Exception):
    """Another server refused what was sent to it, so that sending it again is of no use."""


class Overloaded(Exception):
    """A bounded queue is full; the caller may try again after `retry_after` seconds."""

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__("The server is overloaded.")
        self.retry_after = retry_after


class Contended(Overloaded):
    """Others changed the same rows at the same time, again and again; nothing was written."""


def not_found(noun: str, *field: str) -> DomainError:
    """The one answer for an object that is unknown, foreign or named by a malformed id."""
    return DomainError(ErrorCode.NOT_FOUND, f"There is no such {noun}.", *(field or ("id",)))
