"""A list of new tenants as an operator writes it: a name a line, maybe with a friendly name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tenantry.core.context import SYSTEM, Caller
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.rules.addresses import Addresses
from tenantry.rules.nouns import tenant_name
from tenantry.services import tenants
from tenantry.store.unit_of_work import INSTALLATION, Store


@dataclass(frozen=True, slots=True)
class Listed:
    """A tenant to make, and the line that asks for it."""

    line: int
    name: str
    friendly_name: str = ""


def read(lines: Iterable[str]) -> tuple[list[Listed], list[str]]:
    """The tenants, and what is wrong, a line each. A tab divides the name from the friendly one.

    Empty lines, and those that begin with `#`, are left out.
    """
    found: dict[str, Listed] = {}
    wrong: list[str] = []
    for number, text in enumerate(lines, 1):
        name, _, friendly_name = text.strip().partition("\t")
        name = name.strip()
        if not name or name.startswith("#"):
            continue
        try:
            tenant_name(name, ("name",))
        except DomainError as error:
            wrong.append(f"line {number}: {error.message}")
            continue
        if name in found:
            wrong.append(f"line {number}: {name} is in line {found[name].line} too.")
            continue
        found[name] = Listed(number, name, friendly_name.strip())
    return list(found.values()), wrong


def numbered(prefix: str, count: int) -> list[str]:
    """`count` names: the prefix, a hyphen and a number of as many digits as the last has."""
    digits = len(str(count))
    return [f"{prefix}-{number:0{digits}}" for number in range(1, count + 1)]


def create_all(
    store: Store,
    addresses: Addresses,
    listed: Iterable[Listed],
    environment: str,
    *,
    skip_existing: bool,
) -> tuple[int, list[str]]:
    """How many were made, each in a unit of work of its own, and why the others were not."""
    made, refused = 0, []
    for one in listed:
        values = {"friendly_name": one.friendly_name, "environment": environment}
        try:
            store.write_now(
                INSTALLATION, Caller(SYSTEM), tenants.create, addresses, one.name, values
            )
        except DomainError as error:
            if not (skip_existing and error.code is ErrorCode.ALREADY_EXISTS):
                refused.append(f"line {one.line}, {one.name}: {error.message}")
        else:
            made += 1
    return made, refused
