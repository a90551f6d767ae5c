"""Which addresses of the network the server may ask: public ones, and its resolvers."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
_DNS_PORT = 53

# Prefixes whose addresses carry an IPv4 address, which a gateway may translate to an inner one.
_TRANSLATED = tuple(
    IPv6Network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)


def parse_address(text: str) -> Address:
    """An address as the resolver writes it; one of IPv4 inside of IPv6 counts as itself."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and any(address in network for network in _TRANSLATED):
        return False
    return address.is_global and not (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )


def dns_servers(value: str) -> list[tuple[str, int]]:
    """Addresses with their ports: `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[::1]:5353`."""
    return [_dns_server(part.strip()) for part in value.split(",") if part.strip()]


def _dns_server(text: str) -> tuple[str, int]:
    try:
        return str(ip_address(text)), _DNS_PORT
    except ValueError:
        address, separator, port = text.rpartition(":")
    try:
        if not separator or not 0 < int(port) < 65_536:
            raise ValueError
        return str(ip_address(address.removeprefix("[").removesuffix("]"))), int(port)
    except ValueError:
        raise ValueError(f"{text} is not an IP address, alone or with a port") from None
