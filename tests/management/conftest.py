"""Who administers the tenants of the tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.management import Api, root_api, tenant_api
from tests.support.server import Server, Tenant


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
