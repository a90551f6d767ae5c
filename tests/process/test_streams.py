"""Following the log of a real server: from any of its processes, and until it ends."""

from __future__ import annotations

import time
from pathlib import Path

from websockets.exceptions import ConnectionClosed

from tests.process.server import SECRET, environment, free_port, serving
from tests.support.streaming import events, followed

CREATE = """mutation($name: String!) { roleCreate(input: {name: $name}) {
  role { id } errors { message } } }"""


def test_followers_of_every_process_hear_and_the_server_still_ends(tmp_path: Path) -> None:
    with serving(environment(tmp_path / "data", free_port())) as server:
        url = f"{server.public_url}/graphql"
        token = server.token("tenantry-bootstrap", SECRET, url).json()["access_token"]
        with (
            followed(url, token, types=["role.*"]) as one,
            followed(url, token, types=["role.*"]) as two,
            followed(url, token, types=["role.*"]) as three,
            events(url, token, types=["role.*"]) as stream,
        ):
            followers = (one, two, three, stream)
            for follower in followers:
                assert follower.next()["event"] is None
            for name in ("first", "second"):
                server.graphql(CREATE, name=name)
                began = time.monotonic()
                heard = [follower.next()["event"] for follower in followers]
                assert time.monotonic() - began < 1.5
                assert len({event["id"] for event in heard}) == 1
                assert {event["type"] for event in heard} == {"role.created"}
            assert server.stop() < 8
            assert stream.event() == ("complete", None)
            for follower in (one, two, three):
                try:
                    assert follower.receive()["type"] == "complete"
                except ConnectionClosed as closed:
                    assert closed.rcvd is None or closed.rcvd.code in {1001, 1012}  # noqa: PT017
