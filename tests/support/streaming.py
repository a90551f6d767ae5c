"""Clients of subscriptions, over WebSocket and over server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

Json = dict[str, Any]
SUBPROTOCOL = Subprotocol("graphql-transport-ws")
FOLLOW = """subscription($after: String, $types: [String!]) {
  logEvents(after: $after, types: $types) { cursor event { id type userId targetId details } }
}"""
WAIT = 10.0


@dataclass
class Socket:
    """A connection that speaks `graphql-transport-ws`."""

    connection: ClientConnection

    def send(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def receive(self, wait: float = WAIT) -> Json:
        message: Json = json.loads(self.connection.recv(wait))
        return message

    def initialise(self, token: str) -> None:
        self.send(type="connection_init", payload={"authorization": f"Bearer {token}"})
        assert self.receive() == {"type": "connection_ack"}

    def subscribe(self, id: str = "1", query: str = FOLLOW, **variables: Any) -> None:
        payload = {"query": query, "variables": variables}
        self.send(type="subscribe", id=id, payload=payload)

    def next(self, wait: float = WAIT) -> Json:
        """The next message of the log."""
        message = self.receive(wait)
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        found: Json = message["payload"]["data"]["logEvents"]
        return found


@contextmanager
def socket(url: str, **options: Any) -> Iterator[Socket]:
    """A connection to a tenant's `/graphql`."""
    address = url.replace("http", "ws", 1)
    with connect(address, subprotocols=[SUBPROTOCOL], **options) as connection:
        yield Socket(connection)


@contextmanager
def followed(url: str, token: str, **variables: Any) -> Iterator[Socket]:
    """A connection that follows the log; the first message is still to be read."""
    with socket(url) as made:
        made.initialise(token)
        made.subscribe(**variables)
        yield made


@dataclass
class Events:
    """An answer of server-sent events."""

    response: httpx2.Response
    lines: Iterator[str]

    def event(self) -> tuple[str, Any]:
        """The name of the next event, and its data."""
        name = ""
        for line in self.lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                text = line.removeprefix("data: ")
                return name, json.loads(text) if text else None
        raise EOFError

    def next(self) -> Json:
        name, data = self.event()
        assert name == "next", data
        assert "errors" not in data, data
        found: Json = data["data"]["logEvents"]
        return found


@contextmanager
def events(
    url: str, token: str, query: str = FOLLOW, proof: str = "", **variables: Any
) -> Iterator[Events]:
    """By a token that is bound to a key, if there is a proof of it."""
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {token}"}
    if proof:
        headers |= {"authorization": f"DPoP {token}", "DPoP": proof}
    body = {"query": query, "variables": variables}
    with (
        httpx2.Client(timeout=WAIT) as client,
        client.stream("POST", url, json=body, headers=headers) as response,
    ):
        yield Events(response, iter(response.iter_lines()))
