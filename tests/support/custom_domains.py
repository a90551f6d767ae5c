"""Tenants at custom domains: registered, proven by the tests' name server, asked by their host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tenantry.core.custom_domains import CustomDomainFacts
from tenantry.services import custom_domains
from tenantry.services.commands import Patch
from tenantry.store import custom_domains as stored
from tenantry.store import installation
from tests.support.browser import Browser
from tests.support.server import Tenant

MANAGED = "managed_certs"
SELF_MANAGED = "self_managed_certs"


@dataclass(frozen=True)
class Domain:
    """A custom domain of a tenant, with its edge key if one was made."""

    owner: Tenant
    id: str
    name: str
    key: str | None = None

    @property
    def facts(self) -> CustomDomainFacts:
        found: CustomDomainFacts = self.owner.read(stored.find, self.id)
        return found

    @property
    def tenant(self) -> Tenant:
        """The owner, asked at this domain."""
        return at(self.owner, f"https://{self.name}/")

    @property
    def browser(self) -> Browser:
        """A browser for which this domain is the server too."""
        server = self.owner.server
        inside = f"https://{self.name}"

        def is_inside(url: str) -> bool:
            parts = urlsplit(url)
            return f"{parts.scheme}://{parts.netloc}" == inside or server.is_inside(url)

        return Browser(server.new_client(), is_inside)

    def change(self, **values: Any) -> None:
        self.owner.write(custom_domains.update, Patch(self.id, values))

    def delete(self) -> None:
        self.owner.write(custom_domains.delete, Patch(self.id))

    def verify(self) -> None:
        self.owner.write(custom_domains.verify, Patch(self.id), (self.facts.verification_value,))


def at(tenant: Tenant, issuer: str) -> Tenant:
    """The tenant, asked at another of its issuers."""
    made = Tenant(tenant.server, tenant.read(installation.find_tenant, tenant.id))
    made.issuer = issuer
    return made


def name_for(tenant: Tenant) -> str:
    return f"login.{tenant.name}.example.net"


def pending(tenant: Tenant, name: str = "", type: str = MANAGED, **values: Any) -> Domain:
    name = name or name_for(tenant)
    given = {"domain": name, "type": type} | values
    made = tenant.write(custom_domains.create, tenant.server.runtime.addresses, given)
    return Domain(tenant, made.id, name)


def ready(tenant: Tenant, name: str = "", type: str = MANAGED, **values: Any) -> Domain:
    domain = pending(tenant, name, type, **values)
    value = domain.facts.verification_value
    made = tenant.write(custom_domains.verify, Patch(domain.id), (value,))
    return Domain(tenant, domain.id, domain.name, made.edge_key)
