"""The access control list: rules in order, of which the first that matches decides.

Where none matches a request is served. Everything about the list is decided here: what may be
written in it, which group an endpoint belongs to, and whether an address may ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from tenantry.core.access_control import AccessAction, AccessRule, EndpointGroup
from tenantry.core.errors import DomainError, ErrorCode
from tenantry.rules.fields import LIMITS, clean_text

MAX_RULES = 50
MAX_CIDRS = 100
MAX_DESCRIPTION = 100
_REGISTRATION = "/oidc/register"
_GROUPS: Mapping[str, EndpointGroup] = {
    "oauth": EndpointGroup.TOKENS,
    "userinfo": EndpointGroup.TOKENS,
    "bc-authorize": EndpointGroup.TOKENS,
    "authorize": EndpointGroup.AUTHENTICATION,
    "u": EndpointGroup.AUTHENTICATION,
    "oidc": EndpointGroup.AUTHENTICATION,
    "v2": EndpointGroup.AUTHENTICATION,
    "graphql": EndpointGroup.MANAGEMENT,
    "jobs": EndpointGroup.MANAGEMENT,
}
# By the version and the length of the prefix: the first bits of each network.
_Networks = Mapping[tuple[int, int], frozenset[int]]


def group_of(path: str) -> EndpointGroup | None:
    """The group of an endpoint, by its path under the issuer. None: it is for everybody."""
    if path.startswith(_REGISTRATION):
        return EndpointGroup.DCR
    return _GROUPS.get(path.split("/", 2)[1] if path.startswith("/") else "")


def deciding_rule(
    rules: Sequence[AccessRule], group: EndpointGroup, ip: str
) -> tuple[int, AccessRule] | None:
    """The first rule that is about the group and the address, with its place in the list."""
    address = _address(ip)
    for position, rule in enumerate(rules):
        if group in rule.endpoint_groups and _is_about(rule, address):
            return position, rule
    return None


def is_blocked(rules: Sequence[AccessRule], group: EndpointGroup, ip: str) -> bool:
    found = deciding_rule(rules, group, ip)
    return found is not None and found[1].action is AccessAction.BLOCK


def require_reachable(rules: Sequence[AccessRule], ip: str) -> None:
    """Refuses a list by which its author could not take it back."""
    if is_blocked(rules, EndpointGroup.MANAGEMENT, ip):
        raise DomainError(
            ErrorCode.NOT_ALLOWED,
            "The list would refuse your own next request to the management API.",
            "access_control_list",
        )


def _is_about(rule: AccessRule, address: IPv4Address | IPv6Address | None) -> bool:
    if not rule.cidrs:
        return True
    if address is None:
        return False
    bits = int(address)
    return any(
        version == address.version and bits >> (address.max_prefixlen - length) in found
        for (version, length), found in _networks(rule.cidrs).items()
    )


def _address(ip: str) -> IPv4Address | IPv6Address | None:
    """None where the peer has no address, as on a socket of the machine itself."""
    try:
        address = ip_address(ip)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=1024)
def _networks(cidrs: tuple[str, ...]) -> _Networks:
    """So that a long list costs a look for each length of prefix, not one for each network."""
    found: dict[tuple[int, int], set[int]] = {}
    for network in map(ip_network, cidrs):
        first = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
        found.setdefault((network.version, network.prefixlen), set()).add(first)
    return {place: frozenset(bits) for place, bits in found.items()}


def access_control_list(
    value: Sequence[AccessRule], path: tuple[str, ...]
) -> tuple[AccessRule, ...]:
    """The rules in the order that was given."""
    if len(value) > MAX_RULES:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_RULES} entries.", *path)
    return tuple(_rule(rule, (*path, str(index))) for index, rule in enumerate(value))


LIMITS[access_control_list] = {"maxItems": MAX_RULES}


def _rule(rule: AccessRule, path: tuple[str, ...]) -> AccessRule:
    groups = tuple(dict.fromkeys(rule.endpoint_groups))
    if not groups:
        raise DomainError(ErrorCode.REQUIRED, "At least one entry.", *path, "endpoint_groups")
    if len(rule.cidrs) > MAX_CIDRS:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_CIDRS} entries.", *path, "cidrs")
    cidrs = [_cidr(cidr, (*path, "cidrs", str(at))) for at, cidr in enumerate(rule.cidrs)]
    return replace(
        rule,
        endpoint_groups=groups,
        cidrs=tuple(dict.fromkeys(cidrs)),
        description=clean_text(rule.description, (*path, "description"), MAX_DESCRIPTION),
    )


def _cidr(value: Any, path: tuple[str, ...]) -> str:
    """RFC 4632 §3.1 and RFC 4291 §2.3; a single address is the network of itself."""
    text = clean_text(value, path, 64, 1)
    try:
        network = ip_network(text)
    except ValueError:
        raise DomainError(
            ErrorCode.INVALID,
            "Must be a network such as 192.0.2.0/24 or 2001:db8::/32, without bits beyond its "
            "prefix, or one address.",
            *path,
        ) from None
    first = network.network_address
    if isinstance(first, IPv6Address) and (first.ipv4_mapped or first.scope_id):
        raise DomainError(
            ErrorCode.INVALID, "Write IPv4 addresses as such, and none with a zone.", *path
        )
    return str(network)
