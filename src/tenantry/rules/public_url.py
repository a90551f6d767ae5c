"""Where the server may say that it is."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    if host in _LOOPBACK_NAMES or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def required_origin(value: str) -> str:
    """ValueError unless `value` is one that browsers may be sent to."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http or https URL")
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
        raise ValueError("must be an origin: a scheme, a host and maybe a port, without a path")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must be https unless the host is on loopback")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def required_template(value: str) -> str:
    """The same for the addresses of tenants, whose names stand for `{name}`."""
    if value.count("{name}") != 1 or not value.split("://")[-1].startswith("{name}."):
        raise ValueError("{name} must stand once, as the leftmost label of the host")
    origin = required_origin(value.replace("{name}", "placeholder"))
    return origin.replace("placeholder", "{name}", 1)
