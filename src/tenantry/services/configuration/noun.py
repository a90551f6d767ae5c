"""What a document can hold of one kind of object: its key, its settings, and what serves them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tenantry.core.errors import DomainError
from tenantry.rules.addresses import Addresses
from tenantry.rules.fields import Fields, checked, with_defaults
from tenantry.rules.subjects import SectorDocument
from tenantry.services.configuration.shapes import camel, hints_of, plain
from tenantry.store.unit_of_work import TenantSession

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Named:
    """An object by its noun and key."""

    noun: str
    key: str


@dataclass(slots=True)
class Work:
    """One reading or writing of a tenant's configuration.

    `refusal_of` says why a document of the management API could never run. `found` remembers
    what was loaded once for several nouns. `named` are the keys of objects, by noun, where only
    those are loaded that somebody names.
    """

    db: TenantSession
    addresses: Addresses
    issuer: str
    refusal_of: Callable[[str], DomainError | None]
    sectors: Mapping[str, SectorDocument] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)
    named: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Existing:
    """A stored object: its settings as a document would say them, in the types of facts.

    `key` is how it was named, where it has several names.
    """

    id: str
    revision: int
    values: Values
    facts: Any = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What making or changing an object gave. The secret is here only if it was made now."""

    id: str
    secret: str | None = None
    client_id: str | None = None


def settle(noun: Noun, current: Existing | None, given: Values) -> dict[str, Any]:
    """The settings after a change, or those of a new object."""
    if current is None:
        return with_defaults(noun.fields, given)
    return {**current.values, **checked(noun.fields, given)}


def by_key(noun: Noun, values: Values) -> str:
    return " ".join(str(plain(values[name])) for name in noun.key)


def no_secret(current: Existing | None, after: Values) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """`name` is the member of a document, `key` the settings that together find an object.

    `facts` says the types of settings, `shapes` those that a document has otherwise. `late`
    settings name other objects and are written when those are there. `secret_of` names the
    secret that a change makes. Without `create` there is one object, which is always there.
    """

    name: str
    type_name: str
    scope: str
    facts: type
    fields: Fields
    load: Callable[[Work], Iterable[Existing]]
    update: Callable[[Work, Existing, Values], Done]
    create: Callable[[Work, Values], Done] | None = None
    delete: Callable[[Work, Existing], object] | None = None
    key: tuple[str, ...] = ()
    shapes: Mapping[str, Any] = field(default_factory=dict)
    immutable: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    also_reads: frozenset[str] = frozenset()
    further_scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    settle: Callable[[Noun, Existing | None, Values], dict[str, Any]] = settle
    secret_of: Callable[[Existing | None, Values], str | None] = no_secret
    name_of: Callable[[Noun, Values], str] = by_key

    @property
    def is_single(self) -> bool:
        return self.create is None

    def hint(self, name: str) -> Any:
        return self.shapes[name] if name in self.shapes else hints_of(self.facts)[name]

    def key_of(self, values: Values) -> str:
        """How an object is named in plans, and to be deleted."""
        return self.name_of(self, values)

    def shown(self, values: Values) -> dict[str, Any]:
        """The settings as a document has them."""
        return {camel(name): plain(values[name]) for name in self.fields if name in values}

    def scopes(self, action: str, members: Iterable[str] = ()) -> frozenset[str]:
        """What a token needs for an action; `members` are those that change."""
        if action != "read" and self.scope == "tenant_settings":
            action = "update"
        needed = {f"{action}:{self.scope}"}
        if action == "read":
            needed |= self.also_reads
        elif action != "delete":
            needed |= {scope for name in members for scope in self.further_scopes.get(name, ())}
        return frozenset(needed)
