"""What every stored object has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """`revision` counts the changes, from 1."""

    id: str
    revision: int
    created_at: datetime
    updated_at: datetime
