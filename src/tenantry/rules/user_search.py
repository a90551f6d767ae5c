"""How users are found: the terms that stand for a user, and those that a search asks for.

A term is `w` and a word, or `u` or `a` and the digest of a path and a value in the user or the
application metadata. Words ignore case and accents, and end where letters and digits do.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

NAMES = (
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "email",
    "username",
)
METADATA = {"user_metadata": "u", "app_metadata": "a"}
SOURCES = (*NAMES, *METADATA)
"""The columns that terms are made of."""

MAX_WORDS = 10
MAX_WORD = 64
"""Characters of a word that count; the rest of a longer one is ignored on both sides."""

_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> tuple[str, ...]:
    """The words of a text, each once."""
    folded = unicodedata.normalize("NFKD", text.casefold()).casefold()
    plain = "".join(sign for sign in folded if unicodedata.category(sign) != "Mn")
    return tuple(dict.fromkeys(found[:MAX_WORD] for found in _WORD.findall(plain)))


def word_term(word: str) -> str:
    return f"w{word}"


def metadata_term(source: str, path: tuple[str, ...], value: str | float | bool) -> str:
    """`source` is the name of a column; 1 and 1.0 are the same number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = json.dumps([*path, value], ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()[:16]
    return METADATA[source] + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def terms(values: Mapping[str, Any]) -> frozenset[str]:
    """All terms of a user; what `values` does not name has none."""
    found = {word_term(word) for name in NAMES if values.get(name) for word in words(values[name])}
    for source in METADATA:
        for path, value in _leaves((), values.get(source) or {}):
            found.add(metadata_term(source, path, value))
    return frozenset(found)


def _leaves(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Texts, numbers and booleans by their path; a list gives each of its entries."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves((*path, key), item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(path, item)
    elif value is not None:
        yield path, value
