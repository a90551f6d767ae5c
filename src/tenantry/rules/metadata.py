"""JSON objects that operators keep with users and applications, within their limits."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.rules.fields import clean_text, encodable

MAX_BYTES = 16_384
MAX_DEPTH = 10
MAX_PAIRS = 10
MAX_CHARACTERS = 255


def json_object(value: Any, path: tuple[str, ...]) -> dict[str, Any]:
    """An object of at most 16 KiB as JSON and ten levels; a key with null is to be removed."""
    if not isinstance(value, dict):
        raise DomainError(ErrorCode.INVALID, "Must be a JSON object.", *path)
    _clean(value, path, MAX_DEPTH)
    _small(value, path)
    return value


def application_metadata(value: Any, path: tuple[str, ...]) -> dict[str, Any]:
    """Pairs of texts; a key with null is to be removed."""
    if not isinstance(value, dict):
        raise DomainError(ErrorCode.INVALID, "Must be a JSON object of texts.", *path)
    pairs: dict[str, str | None] = {}
    for key, text in value.items():
        name = clean_text(key, path, MAX_CHARACTERS, 1)
        if text is not None and not isinstance(text, str):
            raise DomainError(ErrorCode.INVALID, "A value is a text.", *path)
        pairs[name] = None if text is None else clean_text(text, path, MAX_CHARACTERS)
    return pairs


def merged(stored: Mapping[str, Any], sent: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What is stored of user metadata: sent keys replace, those that are null go."""
    value = _merge(stored, sent)
    _small(value, (name,))
    return value


def merged_pairs(stored: Mapping[str, str], sent: Mapping[str, Any], name: str) -> dict[str, str]:
    """The same for an application, which has at most ten pairs."""
    value = _merge(stored, sent)
    if len(value) > MAX_PAIRS:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_PAIRS} pairs.", name)
    return value


def _merge(stored: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in {**stored, **sent}.items() if item is not None}


def _small(value: Mapping[str, Any], path: tuple[str, ...]) -> None:
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_BYTES:
        raise DomainError(ErrorCode.TOO_LONG, f"At most {MAX_BYTES} bytes as JSON.", *path)


def _clean(value: Any, path: tuple[str, ...], depth: int) -> None:
    """No text that a database refuses, no number that JSON has not."""
    if isinstance(value, dict | list) and depth == 0:
        raise DomainError(ErrorCode.INVALID, f"At most {MAX_DEPTH} levels.", *path)
    if isinstance(value, dict):
        for key, item in value.items():
            _clean(key, path, depth)
            _clean(item, path, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _clean(item, path, depth - 1)
    elif isinstance(value, str) and not encodable(value):
        raise DomainError(ErrorCode.INVALID, "A text cannot be stored.", *path)
    elif isinstance(value, float) and not math.isfinite(value):
        raise DomainError(ErrorCode.INVALID, "A number must be finite.", *path)
