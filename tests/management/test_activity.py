"""Activity: days are counted once from the log, and shown beside those before them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from tenantry.core.clock import Clock
from tenantry.jobs.activity import count
from tenantry.jobs.pruning import prune
from tenantry.store import tables
from tenantry.store.audit import Event, record
from tests.support.databases import Databases, Kind
from tests.support.loops import run_apart
from tests.support.management import Api, Json, root_api, tenant_api
from tests.support.server import Server, Tenant, begun

PERIOD = "activeUsers retention signUps logins failedLogins"
QUERY = f"""query($days: Int, $from: Date, $to: Date) {{
  activity(days: $days, from: $from, to: $to) {{
    days {{ date activeUsers signUps logins failedLogins }}
    period {{ firstDay lastDay {PERIOD} }} previous {{ firstDay lastDay {PERIOD} }}
    change {{ activeUsers signUps logins failedLogins }}
    users applications resourceServers connections
  }} }}"""


@pytest.fixture
def server(kind: Kind, databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    with databases.url(kind) as url, begun(url, portal, clock=Clock()) as made:
        yield made


def advance(server: Server, days: float) -> None:
    server.clock.advance(days * 86_400)


def counted(server: Server) -> int:
    days: int = server.portal.call(count, server.runtime.store, "me")
    return days


def happen(tenant: Tenant, type: str, *users: str | None) -> None:
    for user in users:
        tenant.write(record, Event(type, user_id=user))


def shown(tenant: Tenant, **variables: Any) -> Json:
    found: Json = root_api(tenant).data(QUERY, **variables)["activity"]
    return found


def test_days_are_counted_and_compared(server: Server) -> None:
    tenant, other = server.tenant(), server.tenant()
    for name in ("a", "b", "c", "d"):
        tenant.user(f"{name}@example.com")
    happen(other, "login.succeeded", "a", "x")
    happen(tenant, "login.succeeded", "a", "a", "b")
    happen(tenant, "login.failed", "a", None)
    happen(tenant, "token.issued", "c", "c", None)
    first = server.clock.now().date()
    assert counted(server) == 0  # The day is not over.
    advance(server, 1)
    assert counted(server) == 1
    assert counted(server) == 0
    happen(tenant, "login.succeeded", "a", "d")
    advance(server, 1)
    assert counted(server) == 1

    found = shown(tenant, days=1)
    assert found["days"] == [
        {
            "date": (first + timedelta(days=1)).isoformat(),
            "activeUsers": 2,
            "signUps": 0,
            "logins": 2,
            "failedLogins": 0,
        }
    ]
    assert found["previous"] == {
        "firstDay": first.isoformat(),
        "lastDay": first.isoformat(),
        "activeUsers": 3,
        "retention": 75.0,
        "signUps": 4,
        "logins": 3,
        "failedLogins": 2,
    }
    assert found["change"] == {
        "activeUsers": -33.33,
        "signUps": -100.0,
        "logins": -33.33,
        "failedLogins": -100.0,
    }
    assert (found["users"], found["connections"]) == (4, 1)
    both = shown(tenant, **{"from": first.isoformat()}, to=(first + timedelta(days=1)).isoformat())
    assert both["period"]["activeUsers"] == 4  # Each user once.
    assert (both["period"]["logins"], both["period"]["retention"]) == (5, 100.0)
    assert both["change"]["logins"] is None  # There was nothing before.
    assert shown(other, days=2)["period"]["activeUsers"] == 2
    assert len(shown(other)["days"]) == 30


def test_counts_outlive_the_log(server: Server) -> None:
    tenant = server.tenant()
    happen(tenant, "login.succeeded", "a")
    advance(server, 1)
    assert counted(server) == 1
    advance(server, 200)
    assert run_apart(_pruned(server)) > 0
    assert counted(server) == 200  # Every day that was missed, one after the other.
    assert shown(tenant, days=300)["period"]["logins"] == 1
    advance(server, 700)
    assert run_apart(_pruned(server)) > 0
    with server.runtime.store.database.reading() as connection:
        assert connection.execute(tables.active_users.select()).all() == []


async def _pruned(server: Server) -> int:
    return await prune(server.runtime.store, "me", timedelta(days=90))


def test_two_processes_count_a_day_once(server: Server, portal: BlockingPortal) -> None:
    tenant = server.tenant()
    happen(tenant, "login.succeeded", "a", "b")
    advance(server, 1)
    url = server.runtime.store.database.url.render_as_string(hide_password=False)
    second = Server(url, portal, clock=server.clock)

    async def both() -> list[int]:
        stores = (server.runtime.store, second.runtime.store)
        return await asyncio.gather(
            *(count(store, name) for store, name in zip(stores, "ab", strict=True))
        )

    assert sum(portal.call(both)) >= 1
    second.close()
    assert shown(tenant, days=1)["period"]["logins"] == 2
    assert shown(tenant, days=1)["period"]["activeUsers"] == 2


@pytest.mark.parametrize(
    "variables",
    [
        {"days": 0},
        {"days": 367},
        {"from": "2026-01-01"},
        {"to": "2026-01-01"},
        {"days": 1, "from": "2026-01-01", "to": "2026-01-02"},
        {"from": "2026-01-02", "to": "2026-01-01"},
        {"from": "2024-01-01", "to": "2026-01-01"},
        {"from": "2026-01-01", "to": "9999-12-31"},
        {"from": "0001-01-01", "to": "0001-01-02"},
    ],
)
def test_periods_that_make_no_sense(server: Server, variables: Json) -> None:
    api: Api = tenant_api(server.tenant(), "read:logs")
    assert api.error(QUERY, **variables)["code"] == "BAD_REQUEST"
