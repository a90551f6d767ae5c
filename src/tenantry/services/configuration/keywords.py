"""Values that differ between environments: `##NAME##` inside a text, `@@NAME@@` for a value.

Replacement happens once: what a keyword brings is not looked through again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode

NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_IN_TEXT = re.compile(r"##([A-Z][A-Z0-9_]{0,63})##")
_WHOLE = re.compile(r"@@([A-Z][A-Z0-9_]{0,63})@@")
MAX_KEYWORDS = 500
ISSUER = "TENANT_ISSUER"
"""The tenant's own address; its other addresses begin with it."""
HASHES, AT_SIGNS = "HASHES", "AT_SIGNS"
"""What stands for the signs themselves, where a text looks like a keyword."""


def known(given: Any, issuer: str) -> dict[str, Any]:
    """The keywords of a request and those that every tenant has."""
    own: dict[str, Any] = {ISSUER: issuer, HASHES: "##", AT_SIGNS: "@@"}
    if given is None:
        return own
    if not isinstance(given, dict):
        raise DomainError(ErrorCode.INVALID, "Must be an object of names and values.", "keywords")
    if len(given) > MAX_KEYWORDS:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_KEYWORDS} keywords.", "keywords")
    for name in given:
        if not NAME.fullmatch(name):
            message = "A keyword is a capital letter with up to 63 capitals, digits and _."
            raise DomainError(ErrorCode.INVALID, message, "keywords")
        if name in own:
            raise DomainError(ErrorCode.INVALID, f"Nobody may set {name}.", "keywords")
    return own | given


def replaced(value: Any, words: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """`value` with every keyword in it; one that is not known is refused with its path."""
    if isinstance(value, dict):
        return {name: replaced(item, words, (*path, name)) for name, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, words, (*path, str(i))) for i, item in enumerate(value)]
    if not isinstance(value, str) or ("##" not in value and "@@" not in value):
        return value
    whole = _WHOLE.fullmatch(value)
    if whole is not None:
        return _of(whole[1], words, path)
    return _IN_TEXT.sub(lambda found: _text(_of(found[1], words, path)), value)


def _of(name: str, words: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    if name not in words:
        raise DomainError(ErrorCode.INVALID, f"There is no keyword {name}.", *path)
    return words[name]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def with_keywords(value: Any, issuer: str) -> Any:
    """The opposite: the tenant's own addresses as keywords, and no text taken for one."""
    if isinstance(value, dict):
        return {name: with_keywords(item, issuer) for name, item in value.items()}
    if isinstance(value, list):
        return [with_keywords(item, issuer) for item in value]
    if not isinstance(value, str):
        return value
    own, rest = value.startswith(issuer), value.removeprefix(issuer)
    if "##" in rest:
        rest = rest.replace("##", f"##{HASHES}##")
    if not own and _WHOLE.fullmatch(rest):
        rest = f"##{AT_SIGNS}##{rest[2:]}"
    return f"##{ISSUER}##{rest}" if own else rest
