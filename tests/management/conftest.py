"""The server that the tests of a module share, a tenant for each test, and who administers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.support.databases import Databases
from tests.support.management import Api, root_api, tenant_api
from tests.support.server import HTTPS_URL, TENANT_URL, Server, Tenant


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """The event loop that the servers run on."""
    with start_blocking_portal("asyncio") as made:
        yield made


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, databases: Databases, portal: BlockingPortal
) -> Iterator[Server]:
    """A server in development whose tenants live under paths; see `both_databases`."""
    with databases.url(getattr(request, "param", "sqlite")) as url:
        made = Server(url, portal)
        made.begin()
        yield made
        made.close()


@pytest.fixture(scope="module")
def production(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    """A server behind https whose tenants have hosts of their own."""
    with databases.url("sqlite") as url:
        made = Server(url, portal, public_url=HTTPS_URL, tenant_url=TENANT_URL)
        made.begin()
        yield made
        made.close()


@pytest.fixture
def tenant(server: Server) -> Tenant:
    """A tenant that no other test has."""
    return server.tenant()


@pytest.fixture
def api(tenant: Tenant) -> Api:
    """The tenant's management API, as the bootstrap application of the root with every scope."""
    return root_api(tenant)


@pytest.fixture
def root(server: Server) -> Api:
    """The root's management API, as the bootstrap application."""
    return root_api(server.root)


@pytest.fixture
def limited(tenant: Tenant) -> Callable[..., Api]:
    """Makes an application of the tenant that has some scopes of the management API."""
    return lambda *scopes: tenant_api(tenant, *scopes)
