"""A callback that a browser can be sent to: it keeps the URLs that it was asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Callback:
    """`visits` are the URLs and bodies that browsers brought."""

    origin: str
    visits: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.origin}/callback"

    @property
    def signed_out_url(self) -> str:
        return f"{self.origin}/signed-out"


@contextmanager
def callback(host: str = "localhost") -> Iterator[Callback]:
    made = Callback("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._keep("")

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            self._keep("?" + self.rfile.read(length).decode())

        def _keep(self, body: str) -> None:
            if not self.path.startswith("/favicon"):
                made.visits.append(made.origin + self.path + body)
            page = b"<!doctype html><title>Application</title><h1 id=done>Signed in</h1>"
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.origin = f"http://{host}:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        listener.shutdown()
