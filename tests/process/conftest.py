from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.databases import Databases


@pytest.fixture
def postgresql_url(databases: Databases) -> Iterator[str]:
    """An empty database on PostgreSQL."""
    with databases.url("postgresql", empty=True) as url:
        yield url
