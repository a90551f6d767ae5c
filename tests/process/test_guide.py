"""The guide is run as a reader would paste it, and the answers are those that it shows."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.process.server import SECRET, environment, free_port, serving

GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"
_BLOCK = re.compile(r"^```(bash|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "=== block "
_ANY = "…"


def blocks() -> list[tuple[str, list[Any]]]:
    """Each block of commands, with the answers that the page shows for it."""
    found: list[tuple[str, list[Any]]] = []
    for language, text in _BLOCK.findall(GUIDE.read_text()):
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
        return isinstance(actual, str) and re.fullmatch(pattern, actual) is not None
    return bool(actual == shown and type(actual) is type(shown))


def answers(output: str) -> list[Any]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def test_what_is_like_what() -> None:
    assert is_like({"a": [1, "x-1"], "b": None}, {"a": [1, "x-…"]})
    assert not is_like({"a": [1, 2]}, {"a": [1]})
    assert not is_like({"a": None}, {"a": "…"})
    assert not is_like({"a": 1}, {"a": True})
    assert not is_like({}, {"a": "…"})


def test_the_guide(tmp_path: Path) -> None:
    folder = tmp_path / ".tenantry"
    with serving(environment(folder, free_port())) as server:
        credentials = folder / "bootstrap-credentials.env"
        credentials.write_text(
            "TENANTRY_BOOTSTRAP_CLIENT_ID=tenantry-bootstrap\n"
            f"TENANTRY_BOOTSTRAP_CLIENT_SECRET={SECRET}\n"
        )
        script = ["set -euo pipefail"]
        for number, (text, _) in enumerate(blocks()):
            script += [f"echo '{_MARK}{number}'", text]
        run = subprocess.run(
            ["bash"],
            input="\n".join(script).replace("http://localhost:8000", server.public_url),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
    printed = run.stdout.split(_MARK)[1:]
    for (text, shown), output in zip(blocks(), printed, strict=False):
        got = answers(output)
        for answer in got:
            assert "errors" not in answer, (text, answer)
            if not shown:
                payloads = [each for each in answer["data"].values() if isinstance(each, dict)]
                assert not any(payload.get("errors") for payload in payloads), (text, answer)
        for expected in shown:
            found = any(is_like(answer, expected) for answer in got)
            assert found, json.dumps([expected, got], indent=1, ensure_ascii=False)
    assert run.returncode == 0, run.stderr
    assert len(printed) == len(blocks())
