"""Where tenants live: hosts, paths and issuers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from tenantry.core.custom_domains import CustomDomainFacts

TENANT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]")
_TENANT_PATH = re.compile(rf"/t/({TENANT_NAME.pattern})(/.*)?", re.DOTALL)
_WELL_KNOWN = re.compile(rf"(/\.well-known/[a-z-]+)/t/({TENANT_NAME.pattern})(/graphql)?/?")
_LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
MTLS_ALIAS = "mtls."
"""What stands before the host of an endpoint's alias (RFC 8705 §5)."""


@dataclass(frozen=True, slots=True)
class Location:
    """What an address says: the tenant's name (None is the root) and the path below it."""

    tenant_name: str | None
    path: str
    prefix: str


@dataclass(frozen=True, slots=True)
class TenantAddress:
    """A tenant and the issuer that the request came to. The issuer ends with a slash.

    `domain` is None where that is the canonical one. `client_certificate_header` is the one that
    is believed in this request, `takes_certificates` whether there are requests that have it.
    """

    tenant_id: str
    name: str
    is_root: bool
    issuer: str
    canonical_issuer: str
    domain: CustomDomainFacts | None = None
    client_certificate_header: str | None = None
    takes_certificates: bool = False

    @property
    def management_identifier(self) -> str:
        return f"{self.canonical_issuer}graphql"

    @property
    def userinfo_audience(self) -> str:
        return f"{self.issuer}userinfo"

    @property
    def cookie_path(self) -> str:
        return urlsplit(self.issuer).path

    @property
    def origin(self) -> str:
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_https(self) -> bool:
        return self.issuer.startswith("https://")

    def urls_of(self, path: str) -> tuple[str, ...]:
        """Where a request for a path may have come to: the endpoint, and its alias if any."""
        url = self.issuer + path.removeprefix("/")
        return (url, alias_of(url)) if self.takes_certificates else (url,)


def alias_of(url: str) -> str:
    """RFC 8705 §5: the same endpoint, at the host where every client is asked for a certificate."""
    return url.replace("://", f"://{MTLS_ALIAS}", 1)


class Addresses:
    """The installation's address rules, made once from the settings."""

    def __init__(self, public_url: str, tenant_url: str | None) -> None:
        self.public_url = public_url
        self.tenant_url = tenant_url
        public = urlsplit(public_url)
        self._scheme = public.scheme
        self._public_hosts = {_host_key(public.netloc, public.scheme)}
        if public.hostname in {"localhost", "127.0.0.1", "::1"}:
            port = f":{public.port}" if public.port else ""
            self._public_hosts |= {
                _host_key(host + port, public.scheme) for host in _LOOPBACK_HOSTS
            }
        self._tenant_host: re.Pattern[str] | None = None
        if tenant_url:
            template = urlsplit(tenant_url)
            host = re.escape(_host_key(template.netloc, template.scheme))
            name = f"({TENANT_NAME.pattern})"
            self._tenant_host = re.compile(host.replace(re.escape("{name}"), name))

    def issuer(self, name: str, *, is_root: bool) -> str:
        """The one canonical issuer of a tenant."""
        if is_root:
            return f"{self.public_url}/"
        if self.tenant_url:
            return f"{self.tenant_url.replace('{name}', name)}/"
        return f"{self.public_url}/t/{name}/"

    def is_tenant_origin(self, origin: str) -> bool:
        """Whether an origin is that of a tenant's own host."""
        scheme, _, host = origin.partition("://")
        return (
            self._tenant_host is not None
            and self.tenant_url is not None
            and scheme == urlsplit(self.tenant_url).scheme
            and self._tenant_host.fullmatch(_host_key(host, scheme)) is not None
        )

    def locate(self, host: str, path: str) -> Location | None:
        """The tenant that an address names; None for a host that is not ours (421).

        With a host template the path form is not an address of a tenant, so that its
        requests end as paths that the root does not have (404).
        """
        key = _host_key(host.lower(), self._scheme)
        if key in self._public_hosts:
            return self._locate_by_path(path)
        if self._tenant_host and (match := self._tenant_host.fullmatch(key)):
            return Location(match[1], path, "")
        return None

    def _locate_by_path(self, path: str) -> Location:
        if self.tenant_url is None:
            if match := _TENANT_PATH.fullmatch(path):
                return Location(match[1], match[2] or "/", f"/t/{match[1]}")
            if match := _WELL_KNOWN.fullmatch(path):
                return Location(match[2], match[1] + (match[3] or ""), f"/t/{match[2]}")
        return Location(None, path, "")

    def tenant_of_management_identifier(self, identifier: str) -> str | None:
        """The name of the tenant that a management identifier names, were there one."""
        template = f"{self.tenant_url or self.public_url + '/t/{name}'}/graphql"
        before, after = template.split("{name}")
        name = identifier[len(before) : -len(after)]
        if identifier == before + name + after and TENANT_NAME.fullmatch(name):
            return name
        return None

    def insertion_path(self, issuer: str) -> str:
        """The part of an issuer that RFC 8414 §3.1 moves behind the well-known path."""
        return urlsplit(issuer).path.rstrip("/")


def _host_key(netloc: str, scheme: str) -> str:
    default = ":443" if scheme == "https" else ":80"
    return netloc.removesuffix(default)
