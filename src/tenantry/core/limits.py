"""What the operator allows tenants at most."""

from __future__ import annotations

from dataclasses import dataclass

MAX_SESSION_IDLE_LIFETIME = 144_000 * 60
MAX_SESSION_LIFETIME = 525_600 * 60


@dataclass(frozen=True, slots=True)
class Limits:
    """Lifetimes are in seconds. A tenant's own setting counts up to these."""

    session_idle_lifetime: int = MAX_SESSION_IDLE_LIFETIME
    session_lifetime: int = MAX_SESSION_LIFETIME
