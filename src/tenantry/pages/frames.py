"""Response headers of the two pages that have to do with frames."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from tenantry.pages.headers import security_headers

_POLICY = "Content-Security-Policy"


def headers_with_frames(frames: Iterable[str]) -> dict[str, str]:
    """Of a page that loads these addresses in frames, and nothing else of their origins'."""
    headers = security_headers("page")
    if sources := _sources(frames):
        headers[_POLICY] += f"; frame-src {sources}; script-src 'self'"
    return headers


def headers_when_framed(origins: Iterable[str]) -> dict[str, str]:
    """Of a page that runs a script of ours in frames of these origins."""
    headers = security_headers("page")
    del headers["X-Frame-Options"]  # It knows no list of origins.
    ancestors = _sources(_as_source(origin) for origin in origins) or "'none'"
    policy = ("default-src 'none'", "script-src 'self'", "base-uri 'none'")
    headers[_POLICY] = "; ".join((*policy, f"frame-ancestors {ancestors}"))
    return headers


def _sources(urls: Iterable[str]) -> str:
    parts = [urlsplit(url) for url in urls]
    origins = {f"{one.scheme}://{one.netloc}" for one in parts}
    # A name that is no host could end the directive and begin another.
    return " ".join(sorted(origin for origin in origins if not set(origin) & set(";, '\"")))


def _as_source(origin: str) -> str:
    """A policy knows a `*` only as a whole label."""
    scheme, _, host = origin.partition("://")
    first, dot, rest = host.partition(".")
    return f"{scheme}://*{dot}{rest}" if "*" in first else origin
