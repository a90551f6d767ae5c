"""Debian's chromium, a served application, and a log of what the browser asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.process.server import Server, environment, free_port, serving

# A busy machine is slow, and a test that waits loses nothing.
expect.set_options(timeout=20_000)

CHROMIUM_FLAGS = [
    # Names that are not this machine's own, so that nothing of what is special about it applies.
    "--host-resolver-rules=MAP *.example.test 127.0.0.1",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = environment(
        tmp_path_factory.mktemp("browser") / "data",
        free_port(),
        TENANTRY_OUTBOUND_ALLOW_PRIVATE="true",
    )
    with serving(env) as started:
        yield started


@dataclass
class Visit:
    """A page in a profile of its own, with the origins that it asked and what it complained of."""

    page: Page
    origins: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def note(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"}:
            self.origins.add(f"{parts.scheme}://{parts.netloc}")


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    made = Visit(context.new_page())
    context.on("request", made.note)
    made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
    yield made
    context.close()


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    return tmp_path
