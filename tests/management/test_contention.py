"""Administrators who change the same objects at the same time on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal
from sqlalchemy import Connection, select, text

from tenantry.services import connections
from tenantry.store import tables
from tenantry.store.unit_of_work import TenantSession
from tests.support.configuration import APPLIED, plan, written
from tests.support.databases import Databases
from tests.support.management import Api, root_api
from tests.support.server import Server, begun

pytestmark = pytest.mark.postgresql


@pytest.fixture(scope="module")
def server(databases: Databases, portal: BlockingPortal) -> Iterator[Server]:
    with databases.url("postgresql") as url, begun(url, portal) as made:
        yield made


@pytest.fixture
def api(server: Server) -> Api:
    return root_api(server.tenant())


def wait_until_somebody_waits(server: Server) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(200):
        with server.runtime.store.database.reading() as connection:
            if connection.execute(waiting).scalar_one():
                return
        time.sleep(0.01)
    pytest.fail("nobody waits for a lock")


def lock_role(connection: Connection, tenant_id: str, name: str) -> None:
    here = [tables.roles.c.tenant_id == tenant_id, tables.roles.c.name == name]
    connection.execute(select(tables.roles.c.id).where(*here).with_for_update()).one()


def test_an_apply_that_meets_another_change_is_done_all_the_same(api: Api, server: Server) -> None:
    """It holds the first role and waits for the second, whose holder waits for the first."""
    document = {"roles": [{"name": "A"}, {"name": "B"}]}
    given = {"document": written(document), "planHash": plan(api, document)["hash"]}
    api.do("configurationApply", APPLIED, given)
    for role in document["roles"]:
        role["description"] = "changed"
    given = {"document": written(document), "planHash": plan(api, document)["hash"]}
    with ThreadPoolExecutor(1) as pool, server.runtime.store.database.writing() as other:
        lock_role(other, api.tenant.id, "B")
        applied = pool.submit(api.do, "configurationApply", APPLIED, given)
        wait_until_somebody_waits(server)
        lock_role(other, api.tenant.id, "A")
        other.rollback()
        assert len(applied.result(20)["plan"]["changes"]) == 2
    listed = api.data("{ roles(first: 9) { nodes { description revision } } }")["roles"]["nodes"]
    assert listed == [{"description": "changed", "revision": 2}] * 2
    assert len(api.tenant.events("configuration.applied")) == 2


def test_what_never_gets_through_fails_alone_and_says_so(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = connections.create

    def meets_others(db: TenantSession, values: Any) -> Any:
        made = create(db, values)
        if values["name"] == "never":
            db.connection.execute(text("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$"))
        return made

    monkeypatch.setattr(connections, "create", meets_others)
    answer = api.sending(idempotency_key="key").answer(
        'mutation { a: connectionCreate(input: {name: "one"}) { connection { name } }'
        ' b: connectionCreate(input: {name: "never"}) { connection { name } } }'
    )
    assert answer["data"] == {"a": {"connection": {"name": "one"}}, "b": None}
    (error,) = answer["errors"]
    assert error["path"] == ["b"]
    assert (error["extensions"]["code"], error["extensions"]["retryAfter"]) == ("CONTENDED", 1)
    names = api.data("{ connections(first: 9) { nodes { name } } }")["connections"]["nodes"]
    assert {"name": "one"} in names
    assert {"name": "never"} not in names
    monkeypatch.undo()
    repeated = api.sending(idempotency_key="key").data(
        'mutation { a: connectionCreate(input: {name: "one"}) { connection { name } }'
        ' b: connectionCreate(input: {name: "never"}) { connection { name } } }'
    )
    assert repeated["b"]["connection"] == {"name": "never"}
