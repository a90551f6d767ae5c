"""Buckets in the memory of the process: who has asked for how much lately.

The check is a few microseconds and asks nobody, so that it can stand before every token. The
buckets of a kind are bounded in number; the one that was not used for longest is forgotten.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from throttled.rate_limiter import per_min
from throttled.rate_limiter.gcra import GCRARateLimiter
from throttled.store import MemoryStore

from tenantry.core.facts import Environment
from tenantry.rules.rate_limits import ALLOWANCES, RateLimit

_MAX_BUCKETS = 20_000
_SAMPLED = 60


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket after something was asked of it. `retry_after` is 0 where it was given."""

    maximum: int
    available: int
    restore_rate: float
    retry_after: int


@dataclass(frozen=True, slots=True)
class _Limiter:
    limiter: GCRARateLimiter
    restore_rate: float


class Throttle:
    """All buckets of a process. A factor of 0 switches them off."""

    def __init__(self, factor: float, processes: int, max_graphql_cost: int) -> None:
        self._limiters: dict[tuple[Environment, RateLimit], _Limiter] = {}
        if factor == 0:
            return
        for environment, allowances in ALLOWANCES.items():
            for limit, allowance in allowances.items():
                scaled = allowance.scaled(factor, processes)
                # What one operation may cost must fit, or it could never run.
                least = max_graphql_cost if limit is RateLimit.GRAPHQL_COST else 1
                limiter = _limiter(scaled.per_minute, max(least, scaled.burst))
                self._limiters[environment, limit] = _Limiter(limiter, scaled.per_minute / 60)

    def take(
        self, environment: Environment, limit: RateLimit, key: str, amount: int = 1
    ) -> Bucket | None:
        """Takes so much of a bucket, or nothing where there is less. None: it is switched off."""
        found = self._limiters.get((environment, limit))
        if found is None:
            return None
        result = found.limiter.limit(key, amount)
        state = result.state
        wait = max(1, math.ceil(state.retry_after)) if result.limited else 0
        return Bucket(state.limit, state.remaining, found.restore_rate, wait)

    def wait(self, environment: Environment, limit: RateLimit, key: str) -> int:
        """Takes one. The seconds until there is one, 0 where it was given."""
        found = self._limiters.get((environment, limit))
        if found is None:
            return 0
        result = found.limiter.limit(key)
        return max(1, math.ceil(result.state.retry_after)) if result.limited else 0


class Sample:
    """Which of what may come in floods is worth a row: the first of its kind each minute, and not
    more than so many of a tenant's.
    """

    def __init__(self) -> None:
        self._kinds = _limiter(1, 1)
        self._tenants = _limiter(_SAMPLED, _SAMPLED)

    def takes(self, tenant_id: str, kind: str) -> bool:
        if self._kinds.limit(f"{tenant_id} {kind}").limited:
            return False
        return not self._tenants.limit(tenant_id).limited


def _limiter(per_minute: int, burst: int) -> GCRARateLimiter:
    store = MemoryStore(options={"MAX_SIZE": _MAX_BUCKETS})
    return GCRARateLimiter(per_min(per_minute, burst), store)
