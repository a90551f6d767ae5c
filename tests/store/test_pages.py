"""Keyset pages stay right while rows come and go."""

from __future__ import annotations

import pytest

from tenantry.core.context import Caller
from tenantry.core.facts import ClientGrantFacts, ConnectionFacts, ResourceServerFacts
from tenantry.store import client_grants, connections, resource_servers, tables
from tenantry.store.pages import Page, PageRequest
from tenantry.store.unit_of_work import Store
from tests.store.seeds import fill, row

TENANT = "tenant"
NAMES = ["b", "a", "c", "b", "d", "b", "a", "c", "b", "e", "e"]
ROWS = sorted((name, f"{number:02}") for number, name in enumerate(NAMES))
"""Every row by name and then id; names repeat."""


@pytest.fixture
def filled(store: Store) -> Store:
    api = tables.resource_servers
    fill(
        store.database,
        api,
        *(row(api, tenant_id=TENANT, id=id, name=name, identifier=id) for name, id in ROWS),
        *(row(api, tenant_id="other", id=id, name=name, identifier=id) for name, id in ROWS),
    )
    return store


def fetch(store: Store, request: PageRequest) -> Page[ResourceServerFacts]:
    return store.read_now(TENANT, Caller(), resource_servers.page, request)


def ids(page: Page[ResourceServerFacts]) -> list[str]:
    return [item.id for item in page.items]


def walk(store: Store, size: int, sort: str, *, descending: bool) -> list[str]:
    """All ids, page by page forwards."""
    found: list[str] = []
    after: tuple[str, str] | None = None
    for _ in ROWS:
        page = fetch(store, PageRequest(size, sort, descending, after=after))
        assert len(page.items) <= size
        assert page.has_previous == (after is not None)
        found += ids(page)
        if not page.has_next:
            return found
        assert len(page.items) == size
        after = page.positions[-1]
    pytest.fail("the pages do not end")


def walk_back(store: Store, size: int, sort: str, *, descending: bool) -> list[str]:
    """All ids, page by page from the end."""
    found: list[str] = []
    before: tuple[str, str] | None = None
    for _ in ROWS:
        request = PageRequest(size, sort, descending, before=before, backwards=True)
        page = fetch(store, request)
        assert page.has_next == (before is not None)
        found = ids(page) + found
        if not page.has_previous:
            return found
        before = page.positions[0]
    pytest.fail("the pages do not end")


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", ["id", "name"])
def test_every_row_once_in_order(filled: Store, sort: str, descending: bool) -> None:
    rows = ROWS if sort == "name" else sorted(ROWS, key=lambda row: row[1])
    expected = [id for _, id in rows]
    if descending:
        expected.reverse()
    for size in (1, 2, 3, 10, 11, 12):
        assert walk(filled, size, sort, descending=descending) == expected
        assert walk_back(filled, size, sort, descending=descending) == expected


def test_between_two_positions(filled: Store) -> None:
    after, before = ROWS[2], ROWS[6]
    between = [id for _, id in ROWS[3:6]]
    request = PageRequest(10, "name", after=after, before=before)
    assert ids(fetch(filled, request)) == between
    request = PageRequest(2, "name", after=after, before=before, backwards=True)
    assert ids(fetch(filled, request)) == between[1:]
    request = PageRequest(10, "name", descending=True, after=before, before=after)
    assert ids(fetch(filled, request)) == between[::-1]


@pytest.mark.parametrize("descending", [False, True])
def test_rows_that_come_and_go_move_no_other(filled: Store, descending: bool) -> None:
    api = tables.resource_servers
    rows = ROWS[::-1] if descending else ROWS
    first = fetch(filled, PageRequest(4, "name", descending))
    assert first.positions == tuple(rows[:4])
    position = first.positions[-1]
    with filled.database.writing() as connection:
        # The row at the position, one before it and one after it go.
        gone = [rows[3][1], rows[1][1], rows[5][1]]
        connection.execute(api.delete().where(api.c.tenant_id == TENANT, api.c.id.in_(gone)))
    early, late = ("z", "a") if descending else ("a", "z")
    new = [(early, "97"), (late, "98"), (position[0], "99"), (position[0], "000")]
    fill(
        filled.database,
        api,
        *(row(api, tenant_id=TENANT, id=id, name=name, identifier=id) for name, id in new),
    )
    expected = sorted(
        (found for found in {*rows[4:], *new} if found[1] not in gone), reverse=descending
    )
    beyond = [found for found in expected if (found < position if descending else found > position)]
    assert len(beyond) > 5
    page = fetch(filled, PageRequest(20, "name", descending, after=position))
    assert page.positions == tuple(beyond)
    assert page.has_previous
    assert not page.has_next


def test_an_empty_page(filled: Store) -> None:
    page = fetch(filled, PageRequest(5, "name", after=("zz", "0")))
    assert (page.items, page.positions, page.has_next) == ((), (), False)


def grants(parent: str, count: int, tenant: str = TENANT) -> list[dict[str, object]]:
    return [
        row(
            tables.client_grants,
            tenant_id=tenant,
            id=f"{parent}{number}",
            client_id=parent,
            audience=f"api{number}",
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("descending", [False, True])
def test_the_first_of_each_parent(store: Store, descending: bool) -> None:
    fill(
        store.database,
        tables.client_grants,
        *grants("a", 5),
        *grants("b", 2),
        *grants("c", 3),
        *grants("d", 9),
        *grants("a", 9, tenant="other"),
    )
    found: dict[str, Page[ClientGrantFacts]] = store.read_now(
        TENANT,
        Caller(),
        client_grants.first_of_each_client,
        ["a", "b", "c", "none"],
        PageRequest(3, descending=descending),
    )
    assert found.keys() == {"a", "b", "c"}
    numbers = [4, 3, 2] if descending else [0, 1, 2]
    assert [item.id for item in found["a"].items] == [f"a{number}" for number in numbers]
    assert found["a"].positions == tuple((f"a{number}", f"a{number}") for number in numbers)
    assert [found[name].has_next for name in "abc"] == [True, False, False]
    assert len(found["b"].items) == 2
    counts = store.read_now(TENANT, Caller(), client_grants.count_of_each_client, ["a", "b", "x"])
    assert counts == {"a": 5, "b": 2}


def test_the_first_connections_of_each_application(store: Store) -> None:
    names = [f"conn{number}" for number in range(4)]
    enabled = tables.connection_applications
    for tenant in (TENANT, "other"):
        fill(
            store.database,
            tables.connections,
            *(row(tables.connections, tenant_id=tenant, id=name, name=name) for name in names),
        )
    pairs = [("one", name) for name in names] + [("two", "conn2")]
    fill(
        store.database,
        enabled,
        *(
            row(enabled, tenant_id=TENANT, application_id=app, connection_id=name)
            for app, name in pairs
        ),
    )
    found: dict[str, Page[ConnectionFacts]] = store.read_now(
        TENANT,
        Caller(),
        connections.first_of_each_application,
        ["one", "two", "three"],
        PageRequest(2),
    )
    assert {name: [item.id for item in page.items] for name, page in found.items()} == {
        "one": ["conn0", "conn1"],
        "two": ["conn2"],
    }
    assert found["one"].has_next
    assert not found["two"].has_next
