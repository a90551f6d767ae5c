"""One mutation field, one unit of work: done once, refused whole, answered alike again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, reduce
from operator import getitem
from typing import Any, Concatenate, Generic, Never, ParamSpec, TypeVar

from pydantic import TypeAdapter, ValidationError

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.management import idempotency
from tenantry.management.context import Info
from tenantry.management.errors import UserError, user_error
from tenantry.store.unit_of_work import TenantSession, savepoint

P = ParamSpec("P")
T = TypeVar("T")


_UNSET: tuple[Any, ...] = (None, False, [], {})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A `UserError` as it is recorded."""

    code: str
    field: tuple[str, ...]
    message: str
    current_revision: int | None


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What a service gave back, or why it refused."""

    value: T | None
    errors: list[UserError]


@dataclass(frozen=True, slots=True)
class _Record(Generic[T]):
    value: T | None
    refusal: DomainError | None


async def run(
    info: Info,
    result: Any,
    function: Callable[Concatenate[TenantSession, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Outcome[T]:
    """Runs a service in the tenant of the address. `result` is the type that it returns."""
    context = info.context

    def work(db: TenantSession) -> _Record[T]:
        if context.idempotency is None:
            return _done(db, lambda: function(db, *args, **kwargs))
        claim = idempotency.claim_of(
            db, context.idempotency, context.administrator.actor, str(info.path.key)
        )
        try:
            answer = idempotency.take(db, claim)
        except DomainError as refusal:
            return _Record(None, refusal)
        if answer is not None:
            return _read(result, answer)
        record = _done(db, lambda: function(db, *args, **kwargs))
        idempotency.keep(db, claim, _written(result, record))
        return record

    record = await context.runtime.store.write(context.tenant_id, context.caller, work)
    context.loaders.clear()
    return Outcome(record.value, [user_error(record.refusal)] if record.refusal else [])


def _done(db: TenantSession, function: Callable[[], T]) -> _Record[T]:
    """A refusal takes back what was written before it, and nothing else of the unit."""
    try:
        with savepoint(db):
            return _Record(function(), None)
    except DomainError as refusal:
        return _Record(None, refusal)


def refused(_: TenantSession, refusal: DomainError) -> Never:
    """Stands in for a service where a check before the unit of work has refused."""
    raise refusal


@cache
def _adapter(result: Any) -> TypeAdapter[Any]:
    return TypeAdapter(tuple[result | None, Refusal | None])


def _written(result: Any, record: _Record[T]) -> bytes:
    refusal, error = None, record.refusal
    if error is not None:
        refusal = Refusal(error.code, error.field, error.message, error.current_revision)
    return _adapter(result).dump_json((record.value, refusal))


def _read(result: Any, answer: bytes) -> _Record[T]:
    try:
        value, refusal = _as_now(_adapter(result), answer)
    except ValidationError:
        message = "Another release of the server has the answer to this Idempotency-Key."
        return _Record(None, DomainError(ErrorCode.IDEMPOTENCY_KEY_REUSED, message))
    if refusal is None:
        return _Record(value, None)
    return _Record(
        value,
        DomainError(
            ErrorCode(refusal.code),
            refusal.message,
            *refusal.field,
            current_revision=refusal.current_revision,
        ),
    )


def _as_now(adapter: TypeAdapter[Any], answer: bytes) -> Any:
    """What an older release recorded lacks the settings that are new: nobody had set them."""
    content = json.loads(answer)
    added: set[tuple[int | str, ...]] = set()
    for unset in _UNSET:
        try:
            return adapter.validate_json(json.dumps(content))
        except ValidationError as error:
            for problem in error.errors():
                place = problem["loc"]
                if problem["type"] == "missing" or place in added:
                    added.add(place)
                    reduce(getitem, place[:-1], content)[place[-1]] = unset
    return adapter.validate_json(json.dumps(content))
