"""What a document would change, field by field, and the hash that an apply must still find."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.services.configuration import text, users
from tenantry.services.configuration.noun import Existing, Named, Noun, Values, Work
from tenantry.services.configuration.nouns import BY_NAME, NOUNS
from tenantry.services.configuration.shapes import Path, camel, plain, require_known, typed

VERSION = 1
CREATE, UPDATE, DELETE = "create", "update", "delete"
MASKED = "********"
MAX_ERRORS = 100


@dataclass(frozen=True, slots=True)
class FieldChange:
    """Values as a document has them; a secret is never one of them."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    action: str
    noun: str
    key: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """`kept` are objects of the document's nouns that it does not name."""

    hash: str
    changes: tuple[Change, ...]
    kept: tuple[Named, ...]
    required_scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A document with its keywords replaced, and what it names to be deleted."""

    document: Mapping[str, Any]
    deletes: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A change, with what it takes to make it. `place` is where the document asks for it."""

    noun: Noun
    change: Change
    place: Path
    current: Existing | None
    given: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planned:
    """Either refusals, as many as were found, or a plan and its steps in order."""

    plan: Plan | None
    steps: tuple[Step, ...] = ()
    refusals: tuple[DomainError, ...] = ()


State = dict[str, dict[str, Existing]]
"""The objects of each noun, by key."""


def load(work: Work) -> State:
    return {
        noun.name: {one.key or noun.key_of(one.values): one for one in noun.load(work)}
        for noun in NOUNS
    }


def make(work: Work, asked: Asked) -> Planned:
    """The plan for the tenant as it is now."""
    refusals = list[DomainError]()
    try:
        work.named[users.NAME] = users.named_in(asked.document.get(users.NAME), asked.deletes)
    except DomainError as refusal:
        return Planned(None, refusals=(refusal,))
    state = load(work)
    writes: list[Step] = []
    kept: list[Named] = []
    named: dict[str, set[str]] = {}
    for noun in _nouns(asked.document, refusals):
        keys = named.setdefault(noun.name, set())
        for place, value in _objects(noun, asked.document[noun.name], refusals):
            try:
                step = _step(noun, place, value, state[noun.name], keys)
            except DomainError as refusal:
                refusals.append(refusal)
                continue
            if step.change.fields or step.change.action == CREATE:
                writes.append(step)
        kept += [Named(noun.name, key) for key in sorted(state[noun.name].keys() - keys)]
    deletes = _deletes(asked.deletes, state, named, refusals)
    if refusals:
        return Planned(None, refusals=tuple(refusals[:MAX_ERRORS]))
    gone = {(step.change.noun, step.change.key) for step in deletes}
    changes = tuple(step.change for step in (*deletes, *writes))
    needed = {scope for step in (*deletes, *writes) for scope in _scopes(step)}
    plan = Plan(
        _hash(state, changes),
        changes,
        tuple(one for one in kept if (one.noun, one.key) not in gone),
        tuple(sorted(needed)),
    )
    return Planned(plan, (*deletes, *writes))


def _nouns(document: Mapping[str, Any], refusals: list[DomainError]) -> Iterator[Noun]:
    try:
        require_known(document, {"version": None, **BY_NAME}, (text.PATH,))
        version = document.get("version", VERSION)
        if version != VERSION or isinstance(version, bool):
            message = f"This server reads version {VERSION}."
            raise DomainError(ErrorCode.INVALID, message, text.PATH, "version")
    except DomainError as refusal:
        refusals.append(refusal)
        return
    yield from (noun for noun in NOUNS if noun.name in document)


def _objects(
    noun: Noun, value: Any, refusals: list[DomainError]
) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The objects of one noun with their places; what is none is refused."""
    place: Path = (text.PATH, noun.name)
    values: list[tuple[Path, Any]] = [(place, value)]
    if not noun.is_single:
        if not isinstance(value, list):
            refusals.append(DomainError(ErrorCode.INVALID, "Must be a list.", *place))
            return
        values = [((*place, str(index)), one) for index, one in enumerate(value)]
    for where, one in values:
        if isinstance(one, dict):
            yield where, one
        else:
            refusals.append(DomainError(ErrorCode.INVALID, "Must be a mapping.", *where))


def _step(
    noun: Noun,
    place: Path,
    value: Mapping[str, Any],
    existing: Mapping[str, Existing],
    keys: set[str],
) -> Step:
    given = _given(noun, value, place)
    try:
        for name in noun.key:
            if given.get(name) is None and noun.fields[name].clearable:
                given[name] = noun.fields[name].default
            elif given.get(name) is None:
                raise DomainError(ErrorCode.REQUIRED, "This member is required.", name)
            else:
                given[name] = noun.fields[name].check(given[name], (name,))
        key = noun.key_of(given)
        if key in keys:
            raise DomainError(ErrorCode.INVALID, "It is there twice.", *noun.key[:1])
        keys.add(key)
        current = existing.get(key)
        after = noun.settle(noun, current, given)
        fields = tuple(_differences(noun, current, after, given))
        if current is None:
            return Step(noun, Change(CREATE, noun.name, key, fields), place, None, given)
        settings = _changeable(noun, current, after, given)
    except DomainError as refusal:
        raise placed(refusal, place) from None
    return Step(noun, Change(UPDATE, noun.name, key, fields), place, current, settings)


def placed(refusal: DomainError, place: Path) -> DomainError:
    """The same at its place in the document."""
    names = [camel(name) for name in refusal.field if name != "expected_revision"]
    return DomainError(refusal.code, refusal.message, *place, *names)


def _given(noun: Noun, value: Mapping[str, Any], place: Path) -> dict[str, Any]:
    names = {camel(name): name for name in noun.fields}
    require_known(value, names, place)
    return {
        names[member]: None
        if item is None
        else typed(noun.hint(names[member]), item, (*place, member))
        for member, item in value.items()
    }


def _changeable(noun: Noun, current: Existing, after: Values, given: Values) -> dict[str, Any]:
    for name in noun.immutable:
        if name in given and after[name] != current.values[name]:
            raise DomainError(ErrorCode.IMMUTABLE, "This never changes.", name)
    fixed = {*noun.key, *noun.immutable}
    return {name: value for name, value in given.items() if name not in fixed}


def _differences(
    noun: Noun, current: Existing | None, after: Values, given: Values
) -> Iterator[FieldChange]:
    shown = noun.shown(after)
    if current is None:
        for member, value in _telling(noun, shown):
            yield FieldChange(member, None, value)
    else:
        before = noun.shown(current.values)
        for member, value in shown.items():
            if before[member] != value:
                yield FieldChange(member, before[member], value)
    secret = noun.secret_of(current, after)
    if secret is not None:
        yield FieldChange(secret, None if current is None else MASKED, MASKED)


def _telling(noun: Noun, shown: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is worth saying of a new or deleted object: what is neither empty nor the default."""
    defaults = {camel(name): plain(field.default) for name, field in noun.fields.items()}
    for member, value in shown.items():
        if value not in (None, "", [], {}) and value != defaults[member]:
            yield member, value


def _deletes(
    asked: Sequence[Named],
    state: State,
    named: Mapping[str, set[str]],
    refusals: list[DomainError],
) -> tuple[Step, ...]:
    """In the opposite order of the nouns; what is gone already is nothing to do."""
    steps: dict[tuple[str, str], Step] = {}
    for index, one in enumerate(asked):
        place = ("deletes", str(index))
        noun = BY_NAME.get(one.noun)
        if noun is None or noun.delete is None:
            message = "Nothing of this name can be deleted."
            refusals.append(DomainError(ErrorCode.INVALID, message, *place, "noun"))
        elif one.key in named.get(one.noun, ()):
            message = "The document says what it should be."
            refusals.append(DomainError(ErrorCode.NOT_ALLOWED, message, *place, "key"))
        elif one.key in state[one.noun]:
            steps[one.noun, one.key] = _delete(noun, one.key, place, state)
    for grant, existing in state["clientGrants"].items():
        for noun_name, member in (("applications", "application"), ("resourceServers", "audience")):
            cause = steps.get((noun_name, existing.values[member]))
            if cause is not None and ("clientGrants", grant) not in steps:
                noun = BY_NAME["clientGrants"]
                steps["clientGrants", grant] = _delete(noun, grant, cause.place, state)
    order = {noun.name: -index for index, noun in enumerate(NOUNS)}
    return tuple(sorted(steps.values(), key=lambda step: order[step.noun.name]))


def _delete(noun: Noun, key: str, place: Path, state: State) -> Step:
    current = state[noun.name][key]
    fields = tuple(
        FieldChange(member, value, None)
        for member, value in _telling(noun, noun.shown(current.values))
    )
    return Step(noun, Change(DELETE, noun.name, key, fields), place, current)


def _scopes(step: Step) -> frozenset[str]:
    return step.noun.scopes(step.change.action, [one.field for one in step.change.fields])


def _hash(state: State, changes: Sequence[Change]) -> str:
    stored = [
        [noun.name, key, one.id, one.revision, noun.shown(one.values)]
        for noun in NOUNS
        for key, one in sorted(state[noun.name].items())
    ]
    asked = [
        [one.action, one.noun, one.key, [[f.field, f.before, f.after] for f in one.fields]]
        for one in changes
    ]
    canonical = json.dumps([stored, asked], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
