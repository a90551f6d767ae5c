"""The text of a document: YAML or JSON, read within limits and without surprises.

YAML is read as the JSON-like core of YAML 1.2: only `null`, `~`, `true`, `false` and decimal
numbers are not texts, so that `no` is a word and `2030-01-01` too. Anchors, aliases, tags and
repeated keys are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Never

import yaml

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.rules.fields import encodable

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 1_000_000
PATH = "document"
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"-?\d{1,17}\.\d{1,17}(?:[eE][+-]\d{1,3})?")
_NO_TEXT = "The document holds characters that are no text."
_WORDS = {"": None, "null": None, "~": None, "true": True, "false": False}
# The C variants read and write some ten times faster; the others stand in where they are missing.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def _refuse(message: str, code: ErrorCode = ErrorCode.INVALID) -> Never:
    raise DomainError(code, message, PATH)


def read(text: str) -> dict[str, Any]:
    """The mapping that a document is."""
    if not encodable(text):
        _refuse(_NO_TEXT)
    if len(text.encode()) > MAX_BYTES:
        _refuse(f"A document has at most {MAX_BYTES} bytes.", ErrorCode.TOO_LONG)
    value = _json(text) if text.lstrip()[:1] == "{" else _yaml(text)
    if not isinstance(value, dict):
        _refuse("A document is a mapping of nouns to what they should be.")
    return value


def write_yaml(value: Mapping[str, Any]) -> str:
    written: str = yaml.dump(
        value, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, default_flow_style=False
    )
    return written


def write_json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _json(text: str) -> Any:
    try:
        value = json.loads(text, object_pairs_hook=_members, parse_constant=_constant)
    except json.JSONDecodeError:
        return _yaml(text)  # Its flow style begins alike.
    except (ValueError, RecursionError):
        _refuse("The document is not JSON, or a number or a nesting in it has no end.")
    _bounded(value, escapes="\\u" in text)
    return value


def _constant(name: str) -> Never:
    _refuse(f"{name} is no number.")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        _refuse(f"The member {twice} is there twice.")
    return members


def _bounded(value: Any, *, escapes: bool) -> None:
    level, nodes = [value], 0
    for _ in range(MAX_DEPTH + 1):
        nodes += len(level)
        if nodes > MAX_NODES:
            _refuse(f"A document has at most {MAX_NODES} values.", ErrorCode.TOO_MANY)
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                deeper += item.values()
                deeper += item.keys() if escapes else ()
            elif isinstance(item, list):
                deeper += item
            elif escapes and isinstance(item, str) and not encodable(item):
                _refuse(_NO_TEXT)
        if not deeper:
            return
        level = deeper
    _refuse(f"A document is nested at most {MAX_DEPTH} levels deep.", ErrorCode.TOO_MANY)


def _yaml(text: str) -> Any:
    reader = _Reader()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            _TAKE.get(type(event), _Reader.skip)(reader, event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        _refuse(f"The document is not YAML{where}: {problem}.")
    return reader.value


class _Reader:
    """Builds values from the events of the parser, which it never lets nest or repeat at will."""

    def __init__(self) -> None:
        self.value: Any = None
        self._open: list[Any] = []
        self._keys: list[str | None] = []
        self._nodes = 0
        self._documents = 0

    def skip(self, event: Any) -> None:
        """Marks of the stream mean nothing here."""

    def document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._refuse("There is more than one document", event)

    def alias(self, event: Any) -> None:
        self._refuse("Aliases are not allowed", event)

    def mapping(self, event: Any) -> None:
        self._enter({}, event)

    def sequence(self, event: Any) -> None:
        self._enter([], event)

    def leave(self, event: Any) -> None:
        self._open.pop()
        self._keys.pop()

    def scalar(self, event: Any) -> None:
        plain = event.style is None or event.style == ""
        if not plain and not encodable(event.value):
            self._refuse("These characters are no text", event)
        value = _plain(event.value) if plain and event.tag is None else event.value
        if self._open and isinstance(self._open[-1], dict) and self._keys[-1] is None:
            self._require_plain(event)
            if event.value in self._open[-1]:
                self._refuse(f"The member {event.value} is there twice", event)
            self._keys[-1] = event.value
            return
        self._put(value, event)

    def _enter(self, value: Any, event: Any) -> None:
        if self._open and isinstance(self._open[-1], dict) and self._keys[-1] is None:
            self._refuse("The name of a member is a text", event)
        self._put(value, event)
        self._open.append(value)
        self._keys.append(None)
        if len(self._open) > MAX_DEPTH:
            _refuse(f"A document is nested at most {MAX_DEPTH} levels deep.", ErrorCode.TOO_MANY)

    def _put(self, value: Any, event: Any) -> None:
        self._require_plain(event)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            _refuse(f"A document has at most {MAX_NODES} values.", ErrorCode.TOO_MANY)
        if not self._open:
            self.value = value
        elif isinstance(self._open[-1], list):
            self._open[-1].append(value)
        else:
            self._open[-1][self._keys[-1]] = value
            self._keys[-1] = None

    def _require_plain(self, event: Any) -> None:
        if event.anchor is not None:
            self._refuse("Anchors are not allowed", event)
        if event.tag is not None:
            self._refuse("Tags are not allowed", event)

    @staticmethod
    def _refuse(message: str, event: Any) -> Never:
        mark = event.start_mark
        _refuse(f"{message} (line {mark.line + 1}, column {mark.column + 1}).")


_TAKE: Mapping[type, Callable[[_Reader, Any], None]] = {
    yaml.DocumentStartEvent: _Reader.document,
    yaml.AliasEvent: _Reader.alias,
    yaml.MappingStartEvent: _Reader.mapping,
    yaml.SequenceStartEvent: _Reader.sequence,
    yaml.MappingEndEvent: _Reader.leave,
    yaml.SequenceEndEvent: _Reader.leave,
    yaml.ScalarEvent: _Reader.scalar,
}


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text
