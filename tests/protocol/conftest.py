"""The server that the tests of a module share, and a tenant for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.support.browser import Browser
from tests.support.databases import Databases
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
    """A server on loopback whose tenants live under paths; see `both_databases`."""
    with databases.url(getattr(request, "param", "sqlite")) as url:
        made = Server(url, portal)
        made.begin()
        yield made
        made.close()


@pytest.fixture(scope="module")
def https_server(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
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
def browser(server: Server) -> Browser:
    return server.browser()
