"""Custom claims as they are declared: which names are free, and where values come from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tenantry.core.errors import DomainError, ErrorCode
from tenantry.core.facts import ClaimMapping, ClaimSource, ClaimTarget
from tenantry.rules.claims import CLAIMS_OF_SCOPE
from tenantry.rules.fields import clean_text, web_url

MAX_MAPPINGS = 20
MAX_PATH = 255
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,99}")
_PATH = re.compile(r"[^.]{1,100}(?:\.[^.]{1,100}){0,9}")
_WITHOUT_PATH = frozenset({ClaimSource.ROLES, ClaimSource.PERMISSIONS})
_PROTOCOL = """
iss sub aud exp nbf iat jti azp typ nonce auth_time acr amr sid at_hash c_hash s_hash scope
permissions client_id gty cnf act may_act authorization_details events active token_type username
user_id org_id org_name identities created_at _claim_names _claim_sources
"""
RESERVED = frozenset(
    {
        *(claim for claims in CLAIMS_OF_SCOPE.values() for claim in claims),
        *_PROTOCOL.split(),
    }
)
"""Names that protocols and standard claims give a meaning; none can be a custom claim."""


def claim_mappings(value: Sequence[Any], path: tuple[str, ...]) -> tuple[ClaimMapping, ...]:
    """Mappings in the order that was given, each claim once for one kind of token."""
    if len(value) > MAX_MAPPINGS:
        raise DomainError(ErrorCode.TOO_MANY, f"At most {MAX_MAPPINGS} entries.", *path)
    checked = []
    seen: set[tuple[str, ClaimTarget]] = set()
    for index, mapping in enumerate(value):
        one = _mapping(mapping, (*path, str(index)))
        twice = [target for target in one.tokens if (one.claim, target) in seen]
        if twice:
            raise DomainError(
                ErrorCode.INVALID, "The claim has a mapping already.", *path, str(index), "claim"
            )
        seen |= {(one.claim, target) for target in one.tokens}
        checked.append(one)
    return tuple(checked)


def _mapping(mapping: ClaimMapping, path: tuple[str, ...]) -> ClaimMapping:
    tokens = tuple(dict.fromkeys(mapping.tokens))
    if not tokens:
        raise DomainError(ErrorCode.REQUIRED, "At least one entry.", *path, "tokens")
    return replace(
        mapping,
        claim=_claim(mapping.claim, (*path, "claim")),
        path=_path(mapping, (*path, "path")),
        tokens=tokens,
    )


def _claim(name: str, path: tuple[str, ...]) -> str:
    if name.startswith(("http://", "https://")):
        return web_url(name, path)
    if name.lower() in RESERVED:
        raise DomainError(ErrorCode.INVALID, f"The claim {name} has a meaning of its own.", *path)
    if not _NAME.fullmatch(name):
        raise DomainError(
            ErrorCode.INVALID,
            "A claim is an http or https URL, or a letter with up to 99 letters, digits and "
            "the signs . _ : -",
            *path,
        )
    return name


def _path(mapping: ClaimMapping, path: tuple[str, ...]) -> str | None:
    if mapping.path is None:
        return None
    if mapping.source in _WITHOUT_PATH:
        raise DomainError(ErrorCode.NOT_ALLOWED, "This source is a list and has no path.", *path)
    text = clean_text(mapping.path, path, MAX_PATH, 1)
    if not _PATH.fullmatch(text):
        raise DomainError(
            ErrorCode.INVALID, "A path is one to ten keys with a dot between two.", *path
        )
    return text
