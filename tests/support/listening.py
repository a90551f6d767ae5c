"""A server of `tests.support.server` on a port of its own, for clients that need a socket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import uvicorn
from anyio.from_thread import BlockingPortal

from tests.process.server import free_port
from tests.support.browser import Browser
from tests.support.server import Server

_START = 30.0


class ListeningServer(Server):
    """Its browsers go over the network like everybody else."""

    port: int

    def new_browser(self) -> Browser:
        client = httpx2.Client(follow_redirects=False, timeout=30)
        return Browser(client, self.is_inside)


@contextmanager
def listening_server(
    database_url: str, portal: BlockingPortal, public_url: str = "", **values: Any
) -> Iterator[ListeningServer]:
    """At its port, which it says, or behind the proxy of `public_url`."""
    port = free_port()
    public_url = public_url or f"http://127.0.0.1:{port}"
    made = ListeningServer(database_url, portal, public_url=public_url, **values)
    made.port = port
    made.begin()
    config = uvicorn.Config(
        made.application, "127.0.0.1", port, lifespan="off", log_config=None, access_log=False
    )
    listener = uvicorn.Server(config)
    running = portal.start_task_soon(listener.serve)
    try:
        deadline = time.monotonic() + _START
        while not listener.started:
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.01)
        yield made
    finally:
        listener.should_exit = True
        listener.force_exit = True
        running.result(_START)
        made.close()
