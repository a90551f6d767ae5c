"""What this server does otherwise than psycopg does by itself."""

from __future__ import annotations

from typing import Any

from psycopg import Cursor


class PlainCursor(Cursor[Any]):
    """Describes a result by names and types alone.

    SQLAlchemy asks for the description of every result and reads nothing else of it. To make an
    object with the whole of each column is much work for rows with many.
    """

    @property
    def description(self) -> Any:
        result = self.pgresult
        if result is None or not result.nfields:
            return super().description
        return [
            ((result.fname(at) or b"").decode(), result.ftype(at), None, None, None, None, None)
            for at in range(result.nfields)
        ]
