"""Making a tenant what a document says: all of it or nothing, and only as it was planned.

Law: what is written is the plan whose hash was sent, made again in the same transaction; when all
is written the plan for the same document is empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.services.configuration import plan as plans
from tenantry.services.configuration.noun import Done, Values, Work
from tenantry.services.configuration.plan import CREATE, DELETE, Asked, Plan, Step, placed
from tenantry.store.audit import Event, record
from tenantry.store.epochs import bump


@dataclass(frozen=True, slots=True)
class Made:
    """An object that was made, or that got a secret: it is shown now and never again."""

    noun: str
    key: str
    id: str
    client_id: str | None
    secret: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    code: str
    field: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Applied:
    """`plan` is the plan of this moment; it was carried out unless there are refusals."""

    plan: Plan | None
    made: tuple[Made, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def apply(
    work: Work, asked: Asked, expected_hash: str, require: Callable[[frozenset[str]], None]
) -> Applied:
    """`require` raises unless the caller has all of these scopes."""
    # Whoever else changes the configuration waits from here on, or is seen by the plan.
    bump(work.db)
    planned = plans.make(work, asked)
    plan = planned.plan
    if plan is None:
        return Applied(
            None,
            refusals=tuple(Refusal(one.code, one.field, one.message) for one in planned.refusals),
        )
    require(frozenset(plan.required_scopes))
    if plan.hash != expected_hash:
        message = f"The plan was {expected_hash} and is {plan.hash} now: plan again."
        return Applied(plan, refusals=(Refusal(ErrorCode.PLAN_STALE, ("planHash",), message),))
    made = [_take(work, step) for step in planned.steps]
    for step in planned.steps:
        _take_late(work, step)
    _require_reached(work, asked)
    actions = Counter(change.action for change in plan.changes)
    details = {"plan_hash": plan.hash, "changes": dict(actions)}
    target = {"target_type": "Tenant", "target_id": work.db.tenant_id}
    record(work.db, Event("configuration.applied", **target, details=details))
    return Applied(plan, tuple(one for one in made if one is not None))


def _take(work: Work, step: Step) -> Made | None:
    noun, current = step.noun, step.current
    given = {name: value for name, value in step.given.items() if name not in noun.late}
    try:
        if step.change.action == DELETE and noun.delete and current:
            noun.delete(work, current)
            return None
        done = _written(work, step, given)
    except DomainError as refusal:
        raise placed(refusal, step.place) from None
    if step.change.action == CREATE or done.secret:
        return Made(noun.name, step.change.key, done.id, done.client_id, done.secret)
    return None


def _written(work: Work, step: Step, given: Values) -> Done:
    if step.current is not None:
        return step.noun.update(work, step.current, given)
    if step.noun.create is None:
        raise TypeError(f"{step.noun.name} is always there")
    return step.noun.create(work, given)


def _take_late(work: Work, step: Step) -> None:
    late = {name: value for name, value in step.given.items() if name in step.noun.late}
    if late and step.current is not None and step.change.action != DELETE:
        try:
            step.noun.update(work, step.current, late)
        except DomainError as refusal:
            raise placed(refusal, step.place) from None


def _require_reached(work: Work, asked: Asked) -> None:
    """A document that takes away what it asks for elsewhere is refused."""
    again = plans.make(replace(work, found={}), asked)
    for refusal in again.refusals:
        raise refusal
    for step in again.steps:
        names = ", ".join(one.field for one in step.change.fields)
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            f"The document contradicts itself: once it is applied, this would change: {names}.",
            *step.place,
        )
