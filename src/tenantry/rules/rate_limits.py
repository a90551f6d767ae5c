"""How much of what a caller may ask of a tenant, by the tenant's environment.

An allowance is a bucket: so much at once, and so much a minute afterwards. Those of requests are
counted by each process alone, because what a process can serve grows with their number; those
that are `is_shared` guard something of the whole installation, so the processes divide them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address

from tenantry.core.facts import Environment


class RateLimit(StrEnum):
    """What is counted. The key says for whom."""

    GRAPHQL_COST = "graphql_cost"
    """The cost of operations of one caller of the management API."""
    CLIENT = "client"
    """Requests of one application that proved who it is."""
    ADDRESS = "address"
    """Requests from one address to endpoints that ask for no application's secret."""
    FAILED_AUTHENTICATION = "failed_authentication"
    """Refused attempts from one address to pass for an application."""
    REGISTRATION = "registration"
    """Dynamic registrations from one address (RFC 7591 §5)."""
    KEY_ROTATION = "key_rotation"
    """New signing keys of a tenant."""


_SUBSCRIBER_BITS = 64
"""Of an IPv6 address: whoever has one has all of its network (RFC 6177 §2)."""
_LEAST_SHARE = 5
"""However many processes there are: a few in a row are no flood."""


@dataclass(frozen=True, slots=True)
class Allowance:
    burst: int
    per_minute: int
    is_shared: bool = False

    def scaled(self, factor: float, processes: int) -> Allowance:
        """Of one process among so many, after the operator's factor."""
        burst, per_minute = int(self.burst * factor), int(self.per_minute * factor)
        if self.is_shared:
            burst = max(burst // processes, min(burst, _LEAST_SHARE))
            per_minute //= processes
        return Allowance(max(2, burst), max(1, per_minute), self.is_shared)


_TRIAL: Mapping[RateLimit, Allowance] = {
    RateLimit.GRAPHQL_COST: Allowance(500_000, 60 * 50_000),
    RateLimit.CLIENT: Allowance(10_000, 60 * 5_000),
    RateLimit.ADDRESS: Allowance(10_000, 60 * 2_000),
    RateLimit.FAILED_AUTHENTICATION: Allowance(100, 60 * 10),
    RateLimit.REGISTRATION: Allowance(100, 60, is_shared=True),
    RateLimit.KEY_ROTATION: Allowance(10, 2, is_shared=True),
}
_PRODUCTION: Mapping[RateLimit, Allowance] = {
    RateLimit.GRAPHQL_COST: Allowance(1_000_000, 60 * 100_000),
    RateLimit.CLIENT: Allowance(50_000, 60 * 20_000),
    RateLimit.ADDRESS: Allowance(50_000, 60 * 10_000),
    RateLimit.FAILED_AUTHENTICATION: Allowance(200, 60 * 20),
    RateLimit.REGISTRATION: Allowance(200, 120, is_shared=True),
    RateLimit.KEY_ROTATION: Allowance(20, 4, is_shared=True),
}
ALLOWANCES: Mapping[Environment, Mapping[RateLimit, Allowance]] = {
    Environment.DEVELOPMENT: _TRIAL,
    Environment.STAGING: _TRIAL,
    Environment.PRODUCTION: _PRODUCTION,
}


def subscriber(ip: str) -> str:
    """Whom an address stands for: of IPv6 the network, which its subscriber has as a whole."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if not isinstance(address, IPv6Address):
        return ip
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{int(address) >> (address.max_prefixlen - _SUBSCRIBER_BITS):x}/{_SUBSCRIBER_BITS}"
