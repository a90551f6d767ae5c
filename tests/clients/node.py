"""Programs of Node.js that drive a client library, and the person who signs in for them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.browser import Browser
from tests.support.flow import log_in

FOLDER = Path(__file__).parent
_OLDEST = 18
_END = 60.0

Json = dict[str, Any]


@cache
def node_problem() -> str:
    """Why the programs cannot run, or nothing."""
    if shutil.which("node") is None:
        return "no node"
    if _major() < _OLDEST:
        return f"no node {_OLDEST} or newer"
    lock = FOLDER / "package-lock.json"
    installed = FOLDER / "node_modules" / ".package-lock.json"
    if not installed.exists():
        return "nothing installed in tests/clients: npm ci --ignore-scripts"
    wanted = json.loads(lock.read_text())["packages"]
    found = json.loads(installed.read_text())["packages"]
    if any(
        found.get(name, {}).get("version") != wanted[name]["version"] for name in wanted if name
    ):
        return "something older installed in tests/clients: npm ci --ignore-scripts"
    return ""


@cache
def _major() -> int:
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=30)
    return int(told.stdout.strip().removeprefix("v").partition(".")[0])


def _command() -> list[str]:
    # The Web Crypto API is a global from version 19 on.
    return ["node", *(["--experimental-global-webcrypto"] if _major() < 19 else [])]


@dataclass
class Person:
    """Ann, who signs in and allows whatever is asked."""

    browser: Browser

    def visit(self, url: str) -> str:
        """Where the browser was sent in the end; the server's own page if nowhere else."""
        page = self.browser.get(url)
        for _ in range(5):
            if page.left_for:
                return page.left_for
            if page.title == "Log in":
                page = log_in(self.browser, page)
            elif page.title == "Allow access":
                page = self.browser.submit(page, "consent-form", press="consent-allow")
            elif page.title == "Connect a device":
                page = self.browser.submit(page, "device-form")
            else:
                break
        if page.left_for:
            return page.left_for
        assert page.title in {"Device connected", "Signed out"}, (page.status, page.title, page.url)
        return page.url


def run(program: str, settings: Json, person: Person | None = None) -> Json:
    """What the program says at its end; meanwhile the person visits where it sends them."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with subprocess.Popen(
        [*_command(), program],
        cwd=FOLDER,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        guard = threading.Timer(_END, process.kill)
        guard.start()
        try:
            print(json.dumps(settings), file=process.stdin, flush=True)
            for line in process.stdout:
                said: Json = json.loads(line)
                if "done" in said:
                    done: Json = said["done"]
                    return done
                assert person is not None
                print(json.dumps(person.visit(said["visit"])), file=process.stdin, flush=True)
        finally:
            guard.cancel()
            process.kill()
    raise AssertionError(f"{program} ended before it was done; see its error above")
