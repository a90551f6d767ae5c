"""What every test may use: databases, a store, a clock, keys, a server with tenants."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from tenantry.core.clock import Clock
from tenantry.keys.signing import KeySource
from tenantry.keys.vault import Vault
from tenantry.store.database import Database
from tenantry.store.unit_of_work import Store
from tests.clients.node import node_problem
from tests.clients.typed_client import typed_client_problem
from tests.support import keys
from tests.support.browser import Browser
from tests.support.databases import Databases, Kind, postgresql_problem
from tests.support.server import HTTPS_URL, TENANT_URL, Server, Tenant, begun

CHROMIUM = Path("/usr/bin/chromium")
NGINX = Path("/usr/sbin/nginx")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="make the long runs too")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("full") and not item.config.getoption("--full"):
        pytest.skip("a long run: scripts/test --full")
    required = os.environ.get("TENANTRY_TEST_REQUIRE", "").replace(" ", "").split(",")
    for name, problem in _PROBLEMS.items():
        reason = problem() if item.get_closest_marker(name) else ""
        if reason and name in required:
            pytest.fail(f"TENANTRY_TEST_REQUIRE names {name}, but there is {reason}")
        elif reason:
            pytest.skip(reason)


def pytest_collection_finish() -> None:
    # What was collected stays: looking through it again and again took a sixth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _browser_problem() -> str:
    return "" if CHROMIUM.exists() else f"no {CHROMIUM}"


def _nginx_problem() -> str:
    return "" if NGINX.exists() else f"no {NGINX}"


_PROBLEMS: dict[str, Callable[[], str]] = {
    "browser": _browser_problem,
    "nginx": _nginx_problem,
    "node": node_problem,
    "postgresql": postgresql_problem,
    "typed_client": typed_client_problem,
}


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Makes databases, migrated or empty."""
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(
    scope="session",
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)],
)
def kind(request: pytest.FixtureRequest) -> Kind:
    """A test that asks for it, or for `database` or `store`, runs on both databases."""
    found: Kind = request.param
    return found


@pytest.fixture
def database(kind: Kind, databases: Databases) -> Iterator[Database]:
    """A migrated database that nobody else has."""
    with databases.database(kind) as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault() -> Vault:
    return Vault([bytes(range(32))])


@pytest.fixture
def store(database: Database, clock: Clock, vault: Vault) -> Iterator[Store]:
    made = Store(database, clock, vault)
    yield made
    made.close()


@pytest.fixture(scope="session")
def key_source() -> KeySource:
    return keys.key_source


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
    with databases.url(getattr(request, "param", "sqlite")) as url, begun(url, portal) as made:
        yield made


@pytest.fixture(scope="module")
def https_server(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    """A server behind https whose tenants have hosts of their own."""
    with (
        databases.url("sqlite") as url,
        begun(url, portal, public_url=HTTPS_URL, tenant_url=TENANT_URL) as made,
    ):
        yield made


@pytest.fixture
def tenant(server: Server) -> Tenant:
    """A tenant that no other test has."""
    return server.tenant()


@pytest.fixture
def browser(server: Server) -> Browser:
    return server.browser()
