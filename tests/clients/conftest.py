"""A server on a port, a tenant for each test, and a person with a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from anyio.from_thread import BlockingPortal

from tests.clients.node import Person
from tests.support.databases import Databases
from tests.support.listening import ListeningServer, listening_server
from tests.support.server import Tenant

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")


@pytest.fixture(scope="session")
def server(databases: Databases, portal: BlockingPortal) -> Iterator[ListeningServer]:
    with databases.url("sqlite") as url, listening_server(url, portal) as made:
        yield made


@pytest.fixture
def tenant(server: ListeningServer) -> Tenant:
    """A tenant that no other test has, with every algorithm."""
    made = server.tenant()
    made.change(signing_algorithms=ALGORITHMS)
    made.jwks()
    return made


@pytest.fixture
def person(server: ListeningServer) -> Person:
    return Person(server.new_browser())
