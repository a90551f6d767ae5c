"""Log streams: signed batches to webhooks, in order, at least once, by one process at a time."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from tenantry.core.clock import timestamp
from tenantry.core.ids import GlobalId
from tenantry.jobs.log_streams import (
    BATCH_EVENTS,
    MAX_ATTEMPTS,
    MAX_FAILED_BATCHES,
    stream,
    stream_forever,
)
from tenantry.jobs.outbox import deliver
from tenantry.store import log_stream_failures, log_streams, tables
from tenantry.store.audit import Event, record
from tests.store.seeds import wait_until_settled
from tests.support.databases import Databases
from tests.support.listener import Listener, listening
from tests.support.management import Api, Json, root_api, tenant_api
from tests.support.server import Server, Tenant, begun, both_databases

FIELDS = "id name url eventTypes status lastDeliveredAt lastFailedAt lastError revision"


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, databases: Databases, portal: BlockingPortal
) -> Iterator[Server]:
    """A server whose operator lets it ask addresses on this machine."""
    with (
        databases.url(getattr(request, "param", "sqlite")) as url,
        begun(url, portal, outbound_allow_private=True) as made,
    ):
        yield made


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


@pytest.fixture
def api(tenant: Tenant) -> Api:
    return root_api(tenant)


def create(api: Api, listener: Listener, **values: Any) -> Json:
    given = {"name": "SIEM", "url": f"{listener.origin}/hook", "eventTypes": ["test.*"]} | values
    made: Json = api.do("logStreamCreate", f"logStream {{ {FIELDS} }} secret", given)
    return made


def send(server: Server) -> int:
    """Sends what is due; how many batches were tried."""
    runtime = server.runtime
    wait_until_settled(runtime.store.database)
    attempts: int = server.portal.call(stream, runtime.store, runtime.outbound)
    return attempts


def events(tenant: Tenant, *users: str, type: str = "test.happened") -> None:
    for user in users:
        tenant.write(record, Event(type, user_id=user))


def bodies(listener: Listener) -> list[Json]:
    return [json.loads(body) for _, body in listener.requests]


def heard(listener: Listener) -> list[str]:
    """The users of all events that arrived, in their order."""
    return [event["userId"] for body in bodies(listener) for event in body["data"]["events"]]


def make_due(tenant: Tenant) -> None:
    """Lets the pause of every stream of the tenant be over."""

    def write(db: Any) -> None:
        db.connection.execute(
            tables.log_streams.update()
            .where(tables.log_streams.c.tenant_id == db.tenant_id)
            .values(due_at=db.now - timedelta(seconds=1))
        )

    tenant.write(write)


def stored(api: Api) -> list[Json]:
    nodes = "nodes { id messageId eventCount error attempts }"
    failures = f"failures(first: 10) {{ totalCount {nodes} }}"
    query = f"logStreams(first: 10) {{ nodes {{ {FIELDS} {failures} }} }}"
    found: list[Json] = api.data(f"{{ {query} }}")["logStreams"]["nodes"]
    return found


def is_signed(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """As the Standard Webhooks specification computes it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return hmac.compare_digest(headers["webhook-signature"], f"v1,{expected}")


@both_databases
def test_events_arrive_signed_and_in_order(
    server: Server, tenant: Tenant, api: Api, listener: Listener
) -> None:
    events(tenant, "before")
    wait_until_settled(server.runtime.store.database)
    made = create(api, listener)
    assert made["secret"].startswith("whsec_")
    assert send(server) == 0
    events(tenant, "a", "b")
    events(tenant, "not asked for", type="other.happened")
    events(server.tenant(), "foreign")
    events(tenant, "c")
    assert send(server) == 1
    assert heard(listener) == ["a", "b", "c"]
    (path, body), headers = listener.requests[0], listener.headers[0]
    assert path == "/hook"
    assert headers["content-type"] == "application/json"
    assert is_signed(headers, body, made["secret"])
    assert not is_signed(headers, body + b" ", made["secret"])
    assert abs(int(headers["webhook-timestamp"]) - timestamp(server.clock.now())) < 30
    assert send(server) == 0
    (shown,) = stored(api)
    assert (shown["status"], shown["lastError"]) == ("ACTIVE", None)
    assert shown["lastDeliveredAt"]


def test_an_event_looks_as_the_schema_shows_it(
    server: Server, tenant: Tenant, api: Api, listener: Listener
) -> None:
    create(api, listener, eventTypes=["application.*"])
    application = api.application()
    assert send(server) == 1
    (event,) = bodies(listener)[0]["data"]["events"]
    fields = " ".join(event)
    shown = api.data(f"query($id: ID!) {{ logEvent(id: $id) {{ {fields} }} }}", id=event["id"])
    assert shown["logEvent"] == event
    assert event["targetId"] == application["id"]
    assert application["clientSecret"] not in str(bodies(listener))
    assert event["details"]["changes"]["applicationType"]["after"] == "non_interactive"


@both_databases
def test_a_receiver_that_was_down_gets_everything_in_order(
    server: Server, tenant: Tenant, api: Api, listener: Listener
) -> None:
    create(api, listener)
    users = [str(number) for number in range(BATCH_EVENTS + 20)]
    events(tenant, *users[:5])
    listener.statuses += [500, 503, 302]
    for attempt in range(3):
        assert send(server) == 1, attempt
        assert send(server) == 0  # It waits before the next attempt.
        make_due(tenant)
        events(tenant, *users[5 + attempt * 5 : 10 + attempt * 5])
    (shown,) = stored(api)
    assert shown["status"] == "ACTIVE"
    assert "302" in shown["lastError"]
    events(tenant, *users[20:])
    failed, listener.requests[:] = list(listener.requests), []
    ids = {headers["webhook-id"] for headers in listener.headers}
    assert send(server) == 3
    assert heard(listener) == users
    # A batch is the same each time, and is known by its id.
    assert len(ids) == 1
    assert {body for _, body in failed} == {listener.requests[0][1]}
    assert len({headers["webhook-id"] for headers in listener.headers}) == 3
    assert stored(api)[0]["lastError"] == shown["lastError"]


def test_what_is_given_up_is_kept_and_sent_again_when_asked(
    server: Server, tenant: Tenant, api: Api, listener: Listener
) -> None:
    made = create(api, listener)
    events(tenant, "a", "b")
    listener.statuses += [500] * MAX_ATTEMPTS
    for _ in range(MAX_ATTEMPTS):
        assert send(server) == 1
        make_due(tenant)
    events(tenant, "c")
    assert send(server) == 1
    assert heard(listener)[-1] == "c"
    (shown,) = stored(api)
    assert shown["status"] == "ACTIVE"
    (failure,) = shown["failures"]["nodes"]
    assert (failure["eventCount"], failure["attempts"]) == (2, MAX_ATTEMPTS)
    assert failure["messageId"] == listener.headers[0]["webhook-id"]
    (event,) = tenant.events("log_stream.batch_failed")
    assert event.details["events"] == 2

    payload = api.do(
        "logStreamFailureRedeliver", "logStreamFailure { redeliveryAt }", {"id": failure["id"]}
    )
    assert payload["logStreamFailure"]["redeliveryAt"]
    refusal = api.refused("logStreamFailureRedeliver", {"id": failure["id"]})
    assert refusal["code"] == "NOT_ALLOWED"
    listener.requests.clear()
    listener.headers.clear()
    server.portal.call(deliver, server.runtime.store, server.application.deliveries)
    assert heard(listener) == ["a", "b"]
    assert listener.headers[0]["webhook-id"] == failure["messageId"]
    assert is_signed(listener.headers[0], listener.requests[0][1], made["secret"])
    assert stored(api)[0]["failures"] == {"totalCount": 0, "nodes": []}
    assert api.refused("logStreamFailureRedeliver", {"id": failure["id"]})["code"] == "NOT_FOUND"


def test_a_stream_that_nobody_takes_is_suspended_and_goes_on_where_it_stood(
    server: Server, tenant: Tenant, api: Api, listener: Listener
) -> None:
    made = create(api, listener)
    listener.statuses += [500] * (MAX_ATTEMPTS * MAX_FAILED_BATCHES)
    for number in range(MAX_FAILED_BATCHES):
        events(tenant, str(number))
        for _ in range(MAX_ATTEMPTS):
            make_due(tenant)
            assert send(server) == 1
    (shown,) = stored(api)
    assert shown["status"] == "SUSPENDED"
    assert shown["failures"]["totalCount"] == MAX_FAILED_BATCHES - 1
    events(tenant, "later")
    make_due(tenant)
    assert send(server) == 0
    listener.requests.clear()
    api.do("logStreamUpdate", "__typename", {"id": made["logStream"]["id"], "status": "ACTIVE"})
    assert send(server) == 1
    assert heard(listener) == [str(MAX_FAILED_BATCHES - 1), "later"]
    assert len(tenant.events("log_stream.suspended")) == 1


def test_a_receiver_that_is_gone_is_asked_no_more(
    server: Server, tenant: Tenant, api: Api, listener: Listener
) -> None:
    """Standard Webhooks: 410 says that nothing is to be sent there."""
    made = create(api, listener)
    events(tenant, "a")
    listener.statuses.append(410)
    assert send(server) == 1
    assert stored(api)[0]["status"] == "SUSPENDED"
    api.do("logStreamUpdate", "__typename", {"id": made["logStream"]["id"], "status": "ACTIVE"})
    assert send(server) == 1
    assert heard(listener) == ["a", "a"]


def test_a_paused_stream_keeps_its_place(
    server: Server, tenant: Tenant, api: Api, listener: Listener
) -> None:
    id_ = create(api, listener)["logStream"]["id"]
    api.do("logStreamUpdate", "__typename", {"id": id_, "status": "PAUSED"})
    events(tenant, "a")
    assert send(server) == 0
    api.do(
        "logStreamUpdate",
        "__typename",
        {"id": id_, "status": "ACTIVE", "url": f"{listener.origin}/new"},
    )
    assert send(server) == 1
    assert (listener.requests[0][0], heard(listener)) == ("/new", ["a"])
    api.do("logStreamDelete", "__typename", {"id": id_})
    events(tenant, "b")
    assert send(server) == 0


def test_a_new_secret_signs_from_now_on(
    server: Server, tenant: Tenant, api: Api, listener: Listener
) -> None:
    made = create(api, listener)
    rotated = api.do("logStreamSecretRotate", "secret", {"id": made["logStream"]["id"]})
    assert rotated["secret"] != made["secret"]
    events(tenant, "a")
    assert send(server) == 1
    assert is_signed(listener.headers[0], listener.requests[0][1], rotated["secret"])
    assert not is_signed(listener.headers[0], listener.requests[0][1], made["secret"])
    with server.runtime.store.database.reading() as connection:
        rows = repr(connection.execute(tables.log_streams.select()).all())
    assert made["secret"] not in rows
    assert rotated["secret"] not in rows
    everything = repr(tenant.events("log_stream.*"))
    assert "whsec_" not in everything


def test_refusals(server: Server, tenant: Tenant, api: Api, listener: Listener) -> None:
    new = {"name": "x", "url": f"{listener.origin}/x"}
    create(api, listener)
    for changes, code, field in (
        ({"name": "SIEM"}, "ALREADY_EXISTS", ["name"]),
        ({"name": ""}, "REQUIRED", ["name"]),
        ({"url": "http://example.com/x"}, "INVALID", ["url"]),
        ({"url": "file:///etc/passwd"}, "INVALID", ["url"]),
        ({"eventTypes": ["*"]}, "INVALID", ["eventTypes", "0"]),
        ({"eventTypes": ["user.created", "DROP"]}, "INVALID", ["eventTypes", "1"]),
        ({"eventTypes": ["a.b"] * 51}, "TOO_MANY", ["eventTypes"]),
        ({"status": "SUSPENDED"}, "INVALID", ["status"]),
    ):
        refusal = api.refused("logStreamCreate", new | changes)
        assert (refusal["code"], refusal["field"]) == (code, field), changes
    other = root_api(server.tenant())
    foreign = create(other, listener)["logStream"]["id"]
    for mutation in ("logStreamUpdate", "logStreamDelete", "logStreamSecretRotate"):
        assert api.refused(mutation, {"id": foreign})["code"] == "NOT_FOUND"
        stale = {"id": foreign, "expectedRevision": 7}
        assert other.refused(mutation, stale)["code"] == "CONFLICT"
    limited = tenant_api(tenant, "read:logs")
    assert limited.error("{ logStreams(first: 1) { nodes { id } } }")["code"] == "FORBIDDEN"


def test_inner_addresses_are_not_asked(
    databases: Databases, portal: BlockingPortal, listener: Listener
) -> None:
    """The guarded client: public addresses only, whatever the settings of a tenant say."""
    with databases.url("sqlite") as url:
        server = Server(url, portal)
        server.begin()
        tenant = server.tenant()
        api = root_api(tenant)
        create(api, listener)
        events(tenant, "a")
        assert send(server) == 1
        assert listener.requests == []
        assert stored(api)[0]["lastError"].endswith(": not https.")
        server.close()


@both_databases
def test_a_stream_is_sent_by_one_of_many(
    server: Server, tenant: Tenant, api: Api, listener: Listener
) -> None:
    id_ = GlobalId.decode(create(api, listener)["logStream"]["id"])
    assert id_
    events(tenant, "a", "b")
    wait_until_settled(server.runtime.store.database)
    barrier = threading.Barrier(8)

    def claim(_: int) -> Any:
        barrier.wait()
        return tenant.write(log_streams.claim, id_.local_id, 60, 10)

    with ThreadPoolExecutor(8) as pool:
        batches = [batch for batch in pool.map(claim, range(8)) if batch]
    assert len(batches) == 1
    # One whose lease ran out takes nothing back of what came after it.
    make_due(tenant)
    second = tenant.write(log_streams.claim, id_.local_id, 60, 10)
    assert (second.id, second.attempts) == (batches[0].id, 2)
    assert not tenant.write(log_streams.delivered, batches[0])
    assert not tenant.write(log_streams.give_up, batches[0], "{}", "late")
    assert tenant.read(log_stream_failures.count, id_.local_id) == 0
    assert tenant.write(log_streams.delivered, second)


def test_two_processes_send_everything_once(
    server: Server, tenant: Tenant, api: Api, listener: Listener, portal: BlockingPortal
) -> None:
    url = server.runtime.store.database.url.render_as_string(hide_password=False)
    other = Server(url, portal, outbound_allow_private=True)
    create(api, listener)
    users = [str(number) for number in range(3 * BATCH_EVENTS)]

    async def both() -> None:
        tasks = [
            asyncio.create_task(stream_forever(made.runtime.store, made.runtime.outbound))
            for made in (server, other)
        ]
        for start in range(0, len(users), 30):
            await asyncio.to_thread(events, tenant, *users[start : start + 30])
        async with asyncio.timeout(20):
            while len(heard(listener)) < len(users):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    portal.call(both)
    other.close()
    assert heard(listener) == users


def test_streams_are_listed_as_nodes(api: Api, listener: Listener) -> None:
    made = create(api, listener)["logStream"]
    query = "query($id: ID!) { node(id: $id) { ... on LogStream { name } } }"
    assert api.data(query, id=made["id"]) == {"node": {"name": "SIEM"}}
