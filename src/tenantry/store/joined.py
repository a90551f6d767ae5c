"""Facts of several tables that one statement reads together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Label, Table, and_

from tenantry.store.rows import to_facts


class Joined:
    """The columns to select for facts of some tables, and those facts of a row that has them."""

    def __init__(self, parts: Mapping[type[Any], Table]) -> None:
        self._parts = tuple((cls, tuple(field.name for field in fields(cls))) for cls in parts)
        self.columns: tuple[Label[Any], ...] = tuple(
            table.c[name].label(f"{table.name}_{name}")
            for (_, names), table in zip(self._parts, parts.values(), strict=True)
            for name in names
        )

    def read(self, row: Sequence[Any]) -> Iterator[Any]:
        """The facts of each table; None where an outer join found no row."""
        start = 0
        for cls, names in self._parts:
            values = row[start : start + len(names)]
            start += len(names)
            # The first is a key, which every row has.
            yield (
                None if values[0] is None else to_facts(cls, dict(zip(names, values, strict=True)))
            )


def of_same_tenant(table: Table, other: Table, **keys: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition of a join: rows of the same tenant whose columns have these values."""
    same = (table.c[name] == column for name, column in keys.items())
    return and_(table.c.tenant_id == other.c.tenant_id, *same)
