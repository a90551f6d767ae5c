"""The log as a subscription: over WebSocket (`graphql-transport-ws`) and server-sent events."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from anyio.from_thread import BlockingPortal
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tenantry.core.access_control import AccessAction, AccessRule, EndpointGroup
from tenantry.management import event_stream, subscriptions, websocket
from tests.store.seeds import wait_until_settled
from tests.support.databases import Databases
from tests.support.dpop import Prover
from tests.support.listening import listening_server
from tests.support.management import Api, root_api, tenant_api
from tests.support.server import Server, Tenant
from tests.support.streaming import FOLLOW, events, followed, socket

Json = dict[str, Any]


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def server(
    request: pytest.FixtureRequest, databases: Databases, portal: BlockingPortal
) -> Iterator[Server]:
    with (
        databases.url(request.param) as url,
        listening_server(url, portal) as made,
    ):
        yield made


@pytest.fixture
def reader(tenant: Tenant) -> Api:
    """An application that may read the log and nothing else."""
    made = tenant_api(tenant, "read:logs")
    wait_until_settled(tenant.server.runtime.store.database)
    return made


def closing(made: Any) -> tuple[int, str]:
    """How the server closes the connection."""
    with pytest.raises(ConnectionClosed) as closed:
        all(made.receive() for _ in itertools.count())
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def test_what_happens_is_heard_within_a_second(tenant: Tenant, reader: Api) -> None:
    with followed(reader.url, reader.token) as made:
        assert made.next()["event"] is None
        began = time.monotonic()
        user = tenant.user("new@example.com")
        heard = made.next()["event"]
        if tenant.server.runtime.store.database.is_sqlite:
            # Elsewhere a transaction of somebody else's test may hold it back.
            assert time.monotonic() - began < 1
        assert (heard["type"], heard["userId"]) == ("user.created", user.id)
        made.send(type="complete", id="1")
        made.subscribe("2")
        assert made.next()["event"] is None


def test_a_cut_subscription_is_resumed_and_misses_nothing(tenant: Tenant, reader: Api) -> None:
    """Cut after each event, over the one transport and the other in turn."""
    with followed(reader.url, reader.token) as made:
        cursor = made.next()["cursor"]
    expected = [tenant.user(f"u{number}@example.com").id for number in range(6)]
    seen = []
    for number in range(6):
        if number % 2:
            with followed(reader.url, reader.token, after=cursor) as made:
                assert made.next() == {"cursor": cursor, "event": None}
                heard = made.next()
        else:
            with events(reader.url, reader.token, after=cursor) as stream:
                assert stream.next() == {"cursor": cursor, "event": None}
                heard = stream.next()
        seen.append(heard["event"]["userId"])
        cursor = heard["cursor"]
    assert seen == expected


def test_types_narrow_it(tenant: Tenant, reader: Api) -> None:
    with followed(reader.url, reader.token, types=["role.*", "user.blocked"]) as made:
        made.next()
        user = tenant.user()
        tenant.role("editor", reader.url, "read:users")
        tenant.block(user)
        heard = [made.next()["event"]["type"] for _ in range(3)]
        assert heard == ["role.created", "role.permissions_added", "user.blocked"]


def test_no_tenant_hears_of_another(server: Server, tenant: Tenant, reader: Api) -> None:
    other = server.tenant()
    with followed(reader.url, reader.token) as made:
        made.next()
        other.user("foreign@example.com")
        own = tenant.user("own@example.com")
        assert made.next()["event"]["userId"] == own.id
    with socket(other.url("graphql")) as made:
        made.send(type="connection_init", payload={"authorization": f"Bearer {reader.token}"})
        assert closing(made)[0] == websocket.FORBIDDEN
    with events(other.url("graphql"), reader.token) as stream:
        assert stream.response.status_code == 401


def test_server_sent_events(tenant: Tenant, reader: Api) -> None:
    with events(reader.url, reader.token, types=["user.created"]) as stream:
        assert stream.response.status_code == 200
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["cache-control"] == "no-store"
        assert stream.next()["event"] is None
        user = tenant.user()
        assert stream.next()["event"]["userId"] == user.id


def test_a_token_that_is_bound_to_a_key(tenant: Tenant) -> None:
    """RFC 9449 §7.1: one proof begins server-sent events; on a WebSocket nothing proves a key."""
    client, prover, url = tenant.application("non_interactive"), Prover(), tenant.url("graphql")
    tenant.grant(client, url, "read:logs")
    wait_until_settled(tenant.server.runtime.store.database)
    asked = {"grant_type": "client_credentials", "audience": url}
    token = prover.ask(tenant, client, **asked).json()["access_token"]
    proof = prover.proof(tenant, "POST", "graphql", token)
    with events(url, token, proof=proof, types=["user.created"]) as stream:
        assert stream.next()["event"] is None
        user = tenant.user()
        assert stream.next()["event"]["userId"] == user.id
    for again in (proof, ""):
        with events(url, token, proof=again) as stream:
            assert stream.response.status_code == 401
    for scheme in ("DPoP", "Bearer"):
        with socket(url) as made:
            made.send(type="connection_init", payload={"authorization": f"{scheme} {token}"})
            assert closing(made)[0] == websocket.FORBIDDEN


def test_it_needs_the_scope(tenant: Tenant) -> None:
    other = tenant_api(tenant, "read:users")
    with followed(other.url, other.token) as made:
        refusal = made.receive()
        assert (refusal["type"], refusal["id"]) == ("error", "1")
        (error,) = refusal["payload"]
        assert error["extensions"]["requiredScopes"] == ["read:logs"]
    with events(other.url, other.token) as stream:
        assert stream.response.status_code == 400
        (error,) = httpx2.Response(400, content=stream.response.read()).json()["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN"


def test_who_may_read_no_more_hears_no_more(tenant: Tenant, reader: Api) -> None:
    """Authority is looked at again for each event."""
    api = root_api(tenant)
    client_id = reader.data("{ viewer { clientId } }")["viewer"]["clientId"]
    found = api.data(
        "query($id: String!) { clientGrants(first: 1, filter: {clientId: $id}) { nodes { id } } }",
        id=client_id,
    )
    grant = found["clientGrants"]["nodes"][0]["id"]
    with (
        followed(reader.url, reader.token) as made,
        events(reader.url, reader.token) as stream,
    ):
        assert made.next()["event"] is None
        assert stream.next()["event"] is None
        api.do("clientGrantUpdate", "__typename", {"id": grant, "scopes": []})
        refusal = made.receive()
        assert (refusal["type"], refusal["payload"][0]["extensions"]["code"]) == (
            "error",
            "FORBIDDEN",
        )
        name, data = stream.event()
        assert (name, data["errors"][0]["extensions"]["code"]) == ("next", "FORBIDDEN")
        assert stream.event() == ("complete", None)
    api.do("clientGrantUpdate", "__typename", {"id": grant, "scopes": ["read:logs"]})
    with (
        followed(reader.url, reader.token) as made,
        events(reader.url, reader.token) as stream,
    ):
        assert made.next()["event"] is None
        assert stream.next()["event"] is None
        application = api.data(
            "query($id: String!) { application(clientId: $id) { id } }", id=client_id
        )
        api.do("applicationDelete", "__typename", {"id": application["application"]["id"]})
        assert closing(made) == (websocket.FORBIDDEN, "Forbidden")
        name, data = stream.event()
        assert data["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert stream.event() == ("complete", None)


def test_the_access_control_list_ends_what_it_would_not_let_begin(
    tenant: Tenant, reader: Api
) -> None:
    rule = AccessRule(
        action=AccessAction.BLOCK,
        endpoint_groups=(EndpointGroup.MANAGEMENT,),
        cidrs=("127.0.0.0/8",),
    )
    with followed(reader.url, reader.token) as made:
        assert made.next()["event"] is None
        tenant.change(access_control_list=(rule,))
        assert closing(made) == (websocket.FORBIDDEN, "Forbidden")
    with pytest.raises(InvalidStatus) as refused, followed(reader.url, reader.token):
        pass
    assert refused.value.response.status_code == 403


def test_authority_that_ends_in_silence_ends_the_subscription(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "AUTHORITY_SECONDS", 0.2)
    api = root_api(tenant)
    with followed(api.url, api.token, types=["nothing.happens"]) as made:
        assert made.next()["event"] is None
        revoked = tenant.server.client.post(
            tenant.server.root.url("oauth/revoke"),
            data={
                "token": api.token,
                "client_id": "tenantry-bootstrap",
                "client_secret": "the-secret-of-the-bootstrap-application",
            },
        )
        assert revoked.status_code == 200
        assert closing(made) == (websocket.FORBIDDEN, "Forbidden")


def test_subscriptions_are_limited(reader: Api) -> None:
    with socket(reader.url) as made:
        made.initialise(reader.token)
        for number in range(10):
            made.subscribe(str(number))
            assert made.next()["event"] is None
        made.subscribe("more")
        received = [made.receive(), made.receive()]
        codes = [
            message["payload"][0]["extensions"]["code"]
            for message in received
            if message["type"] == "error"
        ]
        assert codes == ["SUBSCRIPTION_LIMIT"]
        made.send(type="complete", id="0")
        made.subscribe("again")
        assert made.next()["event"] is None


@pytest.mark.parametrize(
    "messages, code",
    [
        (["{"], websocket.BAD_REQUEST),
        (["[]"], websocket.BAD_REQUEST),
        (['{"type": 1}'], websocket.BAD_REQUEST),
        (['{"type":"subscribe","id":"1","payload":{}}'], websocket.UNAUTHORIZED),
        (['{"type":"connection_init"}'], websocket.FORBIDDEN),
        (['{"type":"connection_init","payload":[1]}'], websocket.BAD_REQUEST),
        (['{"type":"connection_init","payload":{"authorization":"Bearer x"}}'], 4403),
        (["INIT", '{"type":"connection_init"}'], websocket.TOO_MANY_INITS),
        (["INIT", '{"type":"other","id":"1"}'], websocket.BAD_REQUEST),
        (["INIT", '{"type":"subscribe","id":""}'], websocket.BAD_REQUEST),
        (["INIT", "SUBSCRIBE", "SUBSCRIBE"], websocket.ALREADY_THERE),
    ],
)
def test_messages_out_of_order(reader: Api, messages: list[str], code: int) -> None:
    with socket(reader.url) as made:
        for message in messages:
            if message == "INIT":
                made.initialise(reader.token)
            elif message == "SUBSCRIBE":
                made.subscribe()
            else:
                made.connection.send(message)
        assert closing(made)[0] == code


def test_who_does_not_begin_is_not_waited_for(reader: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "INIT_SECONDS", 0.2)
    with socket(reader.url) as made:
        made.send(type="ping")
        assert made.receive() == {"type": "pong"}
        assert closing(made)[0] == websocket.INIT_TIMEOUT


def test_only_the_subprotocol_is_spoken(reader: Api) -> None:
    address = reader.url.replace("http", "ws", 1)
    with connect(address) as connection, pytest.raises(ConnectionClosed) as closed:
        connection.recv(5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == websocket.NOT_ACCEPTABLE
    for path, status in (("graphqlx", 404), ("oauth/token", 404)):
        with pytest.raises(InvalidStatus) as refused:
            connect(address.replace("graphql", path))
        assert refused.value.response.status_code == status
    unknown = address.replace(reader.tenant.name, "nobody-there")
    with pytest.raises(InvalidStatus) as refused:
        connect(unknown)
    assert refused.value.response.status_code == 404


@pytest.mark.parametrize(
    "query, variables, code",
    [
        ("{ viewer { name } }", {}, "BAD_REQUEST"),
        ("mutation { __typename }", {}, "BAD_REQUEST"),
        ("subscription {", {}, "SYNTAX"),
        ("subscription { unknown }", {}, "INVALID_DOCUMENT"),
        ("", {}, "BAD_REQUEST"),
        (FOLLOW, {"after": "forged"}, "BAD_CURSOR"),
        (FOLLOW, {"after": "W10"}, "BAD_CURSOR"),
        (FOLLOW, {"after": "x" * 5000}, "BAD_CURSOR"),
        (FOLLOW, {"types": ["a.b"] * 51}, "BAD_REQUEST"),
        (FOLLOW, {"types": 1, "after": {}}, "BAD_REQUEST"),
    ],
)
def test_what_does_not_begin_says_why(reader: Api, query: str, variables: Json, code: str) -> None:
    with socket(reader.url) as made:
        made.initialise(reader.token)
        made.subscribe("q", query, **variables)
        refusal = made.receive()
        assert (refusal["type"], refusal["id"]) == ("error", "q")
        assert refusal["payload"][0]["extensions"]["code"] == code
        made.subscribe("good")
        assert made.next()["event"] is None
    with events(reader.url, reader.token, query, **variables) as stream:
        assert stream.response.status_code == 400
        assert code in httpx2.Response(400, content=stream.response.read()).text


def test_an_ordinary_post_has_no_subscription(reader: Api) -> None:
    error = reader.error(FOLLOW)
    assert error["code"] == "BAD_REQUEST"
    assert "text/event-stream" in error["message"]


def test_silence_is_filled(reader: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(websocket, "PING_SECONDS", 0.1)
    with events(reader.url, reader.token) as stream:
        assert stream.next()["event"] is None
        assert [next(stream.lines) for _ in range(4)][1:] == [":", "", ":"]
    with socket(reader.url) as made:
        made.initialise(reader.token)
        assert made.receive() == {"type": "ping"}
        made.send(type="pong")
        assert made.receive() == {"type": "ping"}


def test_streams_end_when_the_server_does(tenant: Tenant, reader: Api) -> None:
    feed = tenant.server.runtime.feed
    with (
        followed(reader.url, reader.token) as made,
        events(reader.url, reader.token) as stream,
    ):
        made.next()
        stream.next()
        try:
            tenant.server.portal.call(tenant.server.application.stop)
            assert made.receive() == {"type": "complete", "id": "1"}
            assert stream.event() == ("complete", None)
        finally:
            feed._closed = False
