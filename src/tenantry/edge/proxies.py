"""Which peers are proxies of ours, and whom they speak for."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.types import Scope

Networks = tuple[IPv4Network | IPv6Network, ...]


def is_trusted(scope: Scope, proxies: Networks) -> bool:
    """Whether the peer is a proxy that the settings name."""
    client = scope.get("client")
    return client is not None and _is_in(client[0], proxies)


def _is_in(text: str, networks: Networks) -> bool:
    if not networks:
        return False
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in networks)


def client_ip(scope: Scope, headers: Mapping[str, str], proxies: Networks) -> str:
    """The last address that no trusted proxy vouches for as another proxy of ours."""
    client = scope.get("client")
    address: str = client[0] if client else ""
    if not _is_in(address, proxies):
        return address
    for hop in reversed(headers.get("x-forwarded-for", "").split(",")):
        hop = hop.strip()
        try:
            ip_address(hop)
        except ValueError:
            return address
        address = hop
        if not _is_in(hop, proxies):
            break
    return address
