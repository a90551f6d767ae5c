"""Plans as a person reads them: a coloured diff on a terminal, plain text elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.text import Text

_MARKS = {"CREATE": ("+", "green"), "UPDATE": ("~", "yellow"), "DELETE": ("-", "red")}
_SHORT = 60


def printable(text: str) -> str:
    """Nothing that moves a cursor or turns the direction of writing."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def plan(console: Console, found: dict[str, Any]) -> None:
    for change in found["changes"]:
        mark, style = _MARKS[change["action"]]
        name = f"{change['noun']} {change['key']}".strip()
        _line(console, f"{mark} {name}", f"bold {style}")
        for field in change["fields"]:
            for line in _field(change["action"], field):
                _line(console, *line)
    for one in found["kept"]:
        _line(console, f"  {one['noun']} {one['key']} is not in the document, and kept", "dim")
    _line(console, summary(found), "bold")


def summary(found: dict[str, Any]) -> str:
    actions = [change["action"] for change in found["changes"]]
    if not actions:
        return "Nothing to do."
    counts = ", ".join(
        f"{actions.count(action)} to {action.lower()}" for action in _MARKS if action in actions
    )
    return f"{counts}."


def refusals(console: Console, errors: Iterable[dict[str, Any]]) -> None:
    for error in errors:
        where = ".".join(error["field"])
        text = f"{where}: {error['message']}" if where else error["message"]
        _line(console, text, "red")


def made(console: Console, objects: Iterable[dict[str, Any]]) -> None:
    """The secrets too: they are shown this once."""
    for one in objects:
        parts = [f"{one['noun']} {one['key']}"]
        parts += [f"client id {one['clientId']}"] if one["clientId"] else []
        parts += [f"secret {one['secret']}"] if one["secret"] else []
        _line(console, "  ".join(parts), "")


def _field(action: str, field: dict[str, Any]) -> list[tuple[str, str]]:
    before, after = _value(field["before"]), _value(field["after"])
    if action == "CREATE":
        return [(f"    {field['field']}: {after}", "green")]
    if action == "DELETE":
        return [(f"    {field['field']}: {before}", "red")]
    if isinstance(field["before"], list) and isinstance(field["after"], list):
        return [(f"    {field['field']}:", ""), *_items(field["before"], field["after"])]
    if len(before) + len(after) <= _SHORT:
        return [(f"    {field['field']}: {before} -> {after}", "yellow")]
    return [
        (f"    {field['field']}:", ""),
        (f"      - {before}", "red"),
        (f"      + {after}", "green"),
    ]


def _items(before: list[Any], after: list[Any]) -> list[tuple[str, str]]:
    gone = [(f"      - {_value(item)}", "red") for item in before if item not in after]
    new = [(f"      + {_value(item)}", "green") for item in after if item not in before]
    return [*gone, *new] or [(f"      {_value(before)} -> {_value(after)}", "yellow")]


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _line(console: Console, text: str, style: str) -> None:
    console.print(Text(printable(text), style=style), soft_wrap=True)
