"""The catalogue of event types says all that the code writes, and nothing else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import tenantry
from tenantry.core.log_event_types import EVENT_TYPES
from tests.support.management import Api

_TYPE = re.compile(r"[a-z]+(?:_[a-z]+)*\.[a-z]+(?:_[a-z]+)*")
_SUFFIXES = {"html", "css", "js", "key", "db", "py", "com", "json"}
_NOT_EVENTS = {"websocket.close", "websocket.disconnect", "uvicorn.access", "uvicorn.error"}


def written_types() -> set[str]:
    """Every text of the code that has the form of a type, less what is known to be none."""
    folder = Path(tenantry.__file__).parent
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        if path.name == "log_event_types.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
                if _TYPE.fullmatch(text) and text.partition(".")[2] not in _SUFFIXES:
                    found.add(text)
    return {
        text
        for text in found - _NOT_EVENTS
        if not text.startswith(("tenantry.", "http.", "lifespan.", "editor."))
    }


def test_every_type_is_in_the_catalogue() -> None:
    assert written_types() == EVENT_TYPES.keys()


def test_the_schema_shows_the_catalogue(api: Api) -> None:
    shown = api.data("{ logEventTypes { name description } }")["logEventTypes"]
    assert {entry["name"]: entry["description"] for entry in shown} == dict(EVENT_TYPES)
