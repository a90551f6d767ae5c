"""RFC 7519 §2: the times in a JWT that somebody else has made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MAX = 2**40


class NotATime(ValueError):
    """A claim that says when is no number of seconds. `name` is the claim's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not a time")
        self.name = name


def numeric_date(claims: Mapping[str, Any], name: str) -> int | None:
    """Seconds since the epoch, without their fraction; None where the claim is absent."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MAX:
        raise NotATime(name)
    return int(value)
