"""Whether a refresh token may be used: by its generation, the overlap and its ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Use(StrEnum):
    """`newest` and `overlapping` are good, `replayed` ends the family, `over` is only too late."""

    NEWEST = "newest"
    OVERLAPPING = "overlapping"
    REPLAYED = "replayed"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class RefreshFacts:
    """A presented token and its family. `overlap` is in seconds."""

    presented: int
    newest: int
    rotated_at: datetime
    ended: bool
    ends_at: datetime
    overlap: int
    now: datetime


def judge(facts: RefreshFacts) -> Use:
    """RFC 9700 §4.14.2: a replaced token that is used again is a sign of theft.

    Honest programs repeat the last one too, when two of their requests cross: for a moment the
    predecessor, and only it, still leads to the successor that exists.
    """
    if facts.ended or facts.ends_at <= facts.now or facts.presented > facts.newest:
        return Use.OVER
    if facts.presented == facts.newest:
        return Use.NEWEST
    overlap_ends_at = facts.rotated_at + timedelta(seconds=facts.overlap)
    if facts.presented == facts.newest - 1 and facts.now < overlap_ends_at:
        return Use.OVERLAPPING
    return Use.REPLAYED
