"""The guide is run as a reader would paste it, and the answers are those that it shows."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.process.server import SECRET, Server, environment, free_port, serving
from tests.support.dns import NameServer, name_server

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```(bash|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\((guide-[a-z-]+\.md)\)")
_MARK = "=== block "
_ANY = "…"


def pages() -> list[Path]:
    """The first page, and the others in the order in which it names them."""
    first = DOCS / "guide.md"
    return [first, *(DOCS / name for name in dict.fromkeys(_LINK.findall(first.read_text())))]


def blocks() -> list[tuple[str, list[Any]]]:
    """Each block of commands, with the answers that the page shows for it."""
    found: list[tuple[str, list[Any]]] = []
    for page in pages():
        for language, text in _BLOCK.findall(page.read_text()):
            if language == "bash":
                found.append((text, []))
            else:
                found[-1][1].append(json.loads(text))
    return found


def is_like(actual: Any, shown: Any) -> bool:
    """Whether an answer has what is shown; `…` stands for anything, in a text for a part."""
    if isinstance(shown, dict):
        return isinstance(actual, dict) and all(
            name in actual and is_like(actual[name], value) for name, value in shown.items()
        )
    if isinstance(shown, list):
        return (
            isinstance(actual, list)
            and len(actual) == len(shown)
            and all(map(is_like, actual, shown))
        )
    if isinstance(shown, str) and _ANY in shown:
        if shown == _ANY:
            return actual is not None
        pattern = ".*".join(map(re.escape, shown.split(_ANY)))
        return isinstance(actual, str) and re.fullmatch(pattern, actual, re.DOTALL) is not None
    return bool(actual == shown and type(actual) is type(shown))


def answers(output: str) -> list[Any]:
    return [json.loads(line) for line in output.splitlines() if line[:1] in ("{", "[")]


def refusals(answer: Any) -> Iterator[str]:
    """The fields of an answer that say why nothing was done."""
    data = answer.get("data") if isinstance(answer, dict) else None
    for name, payload in (data or {}).items():
        if isinstance(payload, dict) and payload.get("errors"):
            yield name


def test_what_is_like_what() -> None:
    assert is_like({"a": [1, "x-1"], "b": None}, {"a": [1, "x-…"]})
    assert not is_like({"a": [1, 2]}, {"a": [1]})
    assert not is_like({"a": None}, {"a": "…"})
    assert not is_like({"a": 1}, {"a": True})
    assert not is_like({}, {"a": "…"})


def test_every_page_is_run() -> None:
    assert sorted(pages()) == sorted(DOCS.glob("guide*.md"))


class Zone(dict[str, list[tuple[bytes, ...]]]):
    """What a reader has put into the DNS: the record that the answer asked for."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __contains__(self, name: object) -> bool:
        answer = self._server.token(
            "tenantry-bootstrap", SECRET, f"{self._server.public_url}/t/guide/graphql"
        )
        response = self._server.post(
            "/t/guide/graphql",
            json={
                "query": "{ customDomains(first: 9) { nodes "
                "{ verificationName verificationValue } } }"
            },
            headers={"Authorization": f"Bearer {answer.json()['access_token']}"},
        )
        for node in response.json()["data"]["customDomains"]["nodes"]:
            self[node["verificationName"]] = [(node["verificationValue"].encode(),)]
        return super().__contains__(name)


def test_the_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ".tenantry"
    resolver: NameServer = name_server()
    given = environment(
        folder,
        free_port(),
        TENANTRY_WORKERS="1",
        TENANTRY_RATE_LIMIT_FACTOR="0",
        TENANTRY_DNS_SERVERS="{}:{}".format(*resolver.address),
    )
    with serving(given) as server:
        monkeypatch.setattr(resolver, "records", Zone(server))
        credentials = folder / "bootstrap-credentials.env"
        credentials.write_text(
            "TENANTRY_BOOTSTRAP_CLIENT_ID=tenantry-bootstrap\n"
            f"TENANTRY_BOOTSTRAP_CLIENT_SECRET={SECRET}\n"
        )
        script = ["set -euo pipefail"]
        for number, (text, _) in enumerate(blocks()):
            script += [f"echo; echo '{_MARK}{number}'", text]
        run = subprocess.run(
            ["bash"],
            input="\n".join(script).replace("http://localhost:8000", server.public_url),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
    printed = run.stdout.split(_MARK)[1:]
    for (text, shown), output in zip(blocks(), printed, strict=False):
        got = answers(output)
        for answer in got:
            assert "errors" not in answer, (text, answer)
            for name in refusals(answer):
                said = [each["data"][name] for each in shown if name in each.get("data", {})]
                assert any("errors" in payload for payload in said), (text, answer)
        for expected in shown:
            found = any(is_like(answer, expected) for answer in got)
            assert found, json.dumps([expected, got], indent=1, ensure_ascii=False)
    assert run.returncode == 0, (printed[-1], run.stderr)
    assert len(printed) == len(blocks())
