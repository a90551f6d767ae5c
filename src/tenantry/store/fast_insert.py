"""Many rows by one prepared statement: what `executemany` costs, without the compiler's part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Insert

_Convert = Callable[[Any], Any]


class FastInsert:
    """An INSERT, compiled once for a dialect, with the conversions of its parameters."""

    def __init__(self, statement: Insert, dialect: Dialect) -> None:
        """Each parameter is named for its column."""
        compiled = statement.compile(dialect=dialect)
        self._statement = str(compiled)
        self._positional = compiled.positional
        names = compiled.positiontup if compiled.positional else list(compiled.params)
        self._columns: list[tuple[str, _Convert | None]] = [
            (name, statement.table.c[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in names or ()
        ]

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """`rows` name every parameter."""
        converted = [
            [
                (name, convert(row[name]) if convert else row[name])
                for name, convert in self._columns
            ]
            for row in rows
        ]
        if self._positional:
            parameters: Any = [tuple(value for _, value in row) for row in converted]
        else:
            parameters = [dict(row) for row in converted]
        connection.exec_driver_sql(self._statement, parameters)
